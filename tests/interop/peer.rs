//! The Rust peer of the interop tests; see interop.py for what it is asked.

use serde_json::json;
use sessionreg::Record;

fn main() -> sessionreg::Result<()> {
    let mut mine = None;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<_> = line.split(' ').collect();
        let answer = match words[..] {
            ["write", path, id] => {
                let mut record = Record::new(id, "/srv/project");
                record.agent = Some("kimi-cli".to_owned());
                sessionreg::write(path, &record)?;
                mine = Some(record);
                json!(true)
            }
            ["judge", path] => {
                let record = sessionreg::load(path)?;
                let verdict = sessionreg::liveness(&record);
                json!([
                    record.session_id,
                    record.pid,
                    verdict.state.as_str(),
                    verdict.reason.as_str()
                ])
            }
            ["rewrite", path] => {
                sessionreg::write(path, &sessionreg::load(path)?)?;
                json!(true)
            }
            ["clear_if", path] => match &mine {
                Some(mine) => json!(sessionreg::clear_if(path, mine)?),
                None => json!(null),
            },
            ["error", path] => match sessionreg::load(path) {
                Ok(_) => json!(null),
                Err(error) => json!([error.code().as_str(), error.to_string()]),
            },
            _ => json!("no such command"),
        };
        println!("{answer}");
    }
    Ok(())
}
