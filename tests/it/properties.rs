//! What holds for every record and for every text, tried on random ones.

use proptest::prelude::*;
use sessionreg::{Record, SessionId, Terminal};

/// Text with everything that JSON has to escape, and what it need not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z0-9-]{1,20}", Just(String::new())]
}

fn maybe(strategy: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(strategy)
}

fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.0e+400".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        any::<i128>().prop_map(|number| number.to_string()),
        text().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        proptest::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(", ")))
    })
}

prop_compose! {
    fn description()(
        agent in maybe("[a-rt-z][a-z0-9-]{0,31}"),
        kind in maybe("[a-z][a-z0-9-]{0,15}"),
        name in maybe(text()),
        transcript in maybe(text()),
        parent in maybe(text()),
        pane in maybe("[0-9%]{1,4}"),
        version in maybe(text()),
        version_key in maybe(text().prop_map(|name| format!("x{name}_version"))),
    ) -> Record {
        let mut record = Record::plain(1, "", "/");
        record.agent = agent;
        record.kind = kind;
        record.name = name;
        record.transcript_path = transcript;
        record.parent_session_id = parent;
        record.terminal = pane.map(|pane| Terminal::new(Some("tmux".into()), None, Some(pane)));
        record.agent_version = version;
        if let Some(key) = version_key.filter(|_| record.agent.is_none()) {
            record.set_version_key(key);
        }
        record
    }
}

prop_compose! {
    fn record()(
        description in description(),
        pid in 1..=2_147_483_647_u32,
        session_id in text(),
        work_dir in text(),
        started_at in prop_oneof![
            any::<f64>().prop_filter("finite", |time| time.is_finite()),
            (0..4_000_000_000_u32).prop_map(|millis| 1.7e9 + f64::from(millis) / 1000.0),
        ],
        proc_start in maybe("[0-9a-f]{8}:[0-9]{1,18}"),
        pid_ns in proptest::option::of(0..=9_007_199_254_740_991_u64),
        extra in proptest::collection::btree_map("x[a-z\\u{1}\"]{0,8}", json_value(), 0..4),
    ) -> Record {
        let mut record = description;
        record.pid = pid;
        record.session_id = session_id;
        record.work_dir = format!("/{work_dir}");
        record.started_at = started_at;
        record.identity.proc_start = proc_start;
        record.identity.pid_ns = pid_ns;
        for (key, value) in extra {
            record.extra.set(&key, value).expect("JSON text");
        }
        record
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// What is written is read back as it was, and written again as the same text.
    #[test]
    fn every_record_survives_its_file(record in record()) {
        let text = record.to_json().unwrap();
        let found = Record::from_json(&text).unwrap();
        prop_assert_eq!(&found, &record);
        prop_assert_eq!(found.to_json().unwrap(), text);
    }

    /// A damaged file is either no record, or one that is read the same again.
    #[test]
    fn no_damage_breaks_the_reader(
        record in record(),
        place in any::<proptest::sample::Index>(),
        damage in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut text = record.to_json().unwrap().into_bytes();
        let place = place.index(text.len());
        let end = (place + damage.len()).min(text.len());
        text.splice(place..end, damage);
        if let Ok(found) = Record::from_json(&text) {
            // A damaged working folder may be relative, which is read but not written.
            if let Ok(again) = found.to_json() {
                prop_assert_eq!(Record::from_json(again).unwrap(), found);
            }
        }
    }

    /// An id that is accepted stays one component of a path, and can be made a file.
    #[test]
    fn an_accepted_id_is_one_name(id in prop_oneof![any::<String>(), "[.a-zA-Z0-9 :/\\\\-]{0,12}"]) {
        if let Ok(id) = SessionId::new(id.as_str()) {
            let path = sessionreg::paths::sidecar_in_project("p", &id);
            prop_assert_eq!(path.components().count(), 3);
            prop_assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{id}.runtime.json"));
        }
    }
}
