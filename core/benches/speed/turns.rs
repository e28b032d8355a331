//! Contenders of one job take turns, so that whatever else the machine does meets all of them alike.

use std::time::Instant;

/// How often, and in which turns: of several calls, each contender meets the caches that it leaves
/// itself; of one call, those that the contender before it leaves.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) calls: usize,
    pub(crate) calls_a_turn: usize,
}

/// One way to do a job.
pub(crate) struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

pub(crate) fn contender<'a>(name: &'static str, run: impl FnMut() + 'a) -> Contender<'a> {
    Contender { name, run: Box::new(run) }
}

/// Lets the contenders take turns and prints what each needed.
pub(crate) fn compare(job: &str, plan: Plan, mut contenders: Vec<Contender<'_>>) {
    let turns = plan.calls.div_ceil(plan.calls_a_turn);
    let mut times = vec![Vec::with_capacity(turns * plan.calls_a_turn); contenders.len()];
    let warming_up = turns.div_ceil(4);
    for turn in 0..warming_up + turns {
        for position in 0..contenders.len() {
            // To and fro, so that nobody always comes after the same one.
            let index = if turn % 2 == 0 { position } else { contenders.len() - 1 - position };
            for _ in 0..plan.calls_a_turn {
                let start = Instant::now();
                (contenders[index].run)();
                let micros = start.elapsed().as_secs_f64() * 1e6;
                if turn >= warming_up {
                    times[index].push(micros);
                }
            }
        }
    }
    for (contender, times) in contenders.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            r#"{{"job":"{job}","contender":"{}","p10":{:.3},"p50":{:.3},"p90":{:.3}}}"#,
            contender.name,
            at(10),
            at(50),
            at(90)
        );
    }
}
