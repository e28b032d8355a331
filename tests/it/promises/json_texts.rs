//! JSON is what RFC 8259 says, no less and no more: texts by the rules of its grammar, each as the
//! value of a key that nobody knows in a record that is otherwise good.

use std::fs;

use sessionreg::{ErrorCode, Record};

/// Values, section by section of the grammar.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    // 3: literals.
    "null", "true", "false",
    // 6: numbers.
    "0", "-0", "1", "-1", "9", "10", "1234567890", "-1234567890", "0.0", "-0.0", "0.1", "-0.1",
    "1.5", "10.01", "0.00000000000000000000000000000001", "1e1", "1E1", "1e+1", "1E+1", "1e-1",
    "1E-1", "1e0", "1e00", "1e01", "1e-00", "0e0", "0E0", "0e-0", "-0e+0", "1.0e0", "1.5e10",
    "1.5E-10", "-1.5e+10", "18446744073709551615", "18446744073709551616", "-9223372036854775808",
    "-9223372036854775809", "123456789012345678901234567890", "0.123456789012345678901234567890",
    "1e308", "1e309", "-1e309", "1e400", "1e-400", "1e999999999999999999999",
    "1e-999999999999999999999",
    // 7: strings.
    r#""""#, r#""a""#, r#"" ""#, r#""a b""#, r#""\"""#, r#""\\""#, r#""\/""#, r#""/""#, r#""\b""#,
    r#""\f""#, r#""\n""#, r#""\r""#, r#""\t""#, r#""\\n""#, r#""\\\"""#, r#""\u0000""#,
    r#""\u001f""#, r#""\u0020""#, r#""\u0022""#, r#""\u005c""#, r#""\u007f""#, r#""\u00e9""#,
    r#""\u00E9""#, r#""\uABCD\uabcd\uAbCd""#, r#""\u2028\u2029""#, r#""\ufeff""#, r#""\ufffe""#,
    r#""\uffff""#, r#""\ufdd0""#, r#""\u0061\u0062""#, r#""\u00610""#, r#""a\u0062c""#,
    // Surrogates: in pairs, and where the grammar allows what Unicode does not.
    r#""\ud834\udd1e""#, r#""\uD834\uDD1E""#, r#""\udbff\udfff""#, r#""\ud800""#, r#""\udc00""#,
    r#""\udfff\ud800""#, r#""\ud800\ud800""#, r#""\ud800a""#, r#""\ud800\n""#, r#""\ud800\u0061""#,
    r#""a\udc00""#,
    // Unescaped: everything but quotes, backslashes and controls below U+0020.
    "\"\u{7f}\"", "\"\u{80}\"", "\"\u{9f}\"", "\"\u{a0}\"", "\"é\"", "\"日本語\"", "\"🦀\"",
    "\"\u{2028}\"", "\"\u{2029}\"", "\"\u{feff}\"", "\"\u{fffd}\"", "\"\u{ffff}\"",
    "\"\u{10ffff}\"", "\"\u{e000}\"", "\"\u{202e}\"", "\"e\u{301}\"", "\"'\"", "\"/* a */\"",
    "\"// a\"", "\"{}[],:\"", "\"null\"", "\"#\"", "\"`\"", "\"$\"", "\"%00\"",
    // 5: arrays.
    "[]", "[ ]", "[\n]", "[\t]", "[\r]", "[[]]", "[[],[]]", "[1]", "[1,2]", "[1, 2]", "[ 1 , 2 ]",
    "[1,\n2]", "[null]", "[true,false,null]", "[\"\"]", "[{}]", "[[[[[]]]]]", "[1,[2,[3]],4]",
    "[-1,1.5,1e1]", "[\"a\",\"a\"]", "[\"]\"]",
    // 4: objects.
    "{}", "{ }", "{\n}", "{\t\r}", "{\"\":0}", "{\"a\":1}", "{ \"a\" : 1 }", "{\"a\"\n:\t1\r}",
    "{\"a\":1,\"b\":2}", "{\"a\":1, \"b\":2}", "{\"a\":1,\"a\":2}", "{\"a\":{\"a\":{}}}",
    "{\"a\":[]}", "{\"a\":null}", "{\"}\":\"{\"}", "{\"\\u0000\":0}", "{\"\\ud800\":0}",
    "{\"a\\\"b\":0}", "{\"a:b\":0}", "{\"é\":0}", "{\"pid\":0}", "{\"schema_version\":2}",
    "{\"__proto__\":{}}",
];

/// What is none, where a value should stand.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    // Literals.
    "", " ", "nul", "nulll", "Null", "NULL", "tru", "True", "TRUE", "fals", "False", "FALSE",
    "nan", "NaN", "inf", "Infinity", "-Infinity", "-NaN", "undefined", "None", "nil", "yes",
    "true false", "truefalse", "null0", "n", "a", "*",
    // Numbers.
    "+1", "++1", "-", "--1", "- 1", "-a", "01", "-01", "00", "-00", "000", "012", "0123", "1.",
    "-1.", "0.", ".5", "-.5", ".", "1..5", "1.5.5", "1.e1", "0.e1", ".e1", "1e", "1E", "1e+",
    "1e-", "1.0e", "1.0e+", "1e1.5", "1e1e1", "1e e", "1 e1", "1 .5", "1. 5", "1e+-1", "1ee1",
    "e1", "0x1", "0xF", "0b1", "0o7", "1_000", "1 000", "1'000", "1f", "1n", "1L", "0d", "1a",
    "1-1", "1+1", "1/2", "1%", "$1", "#1", "٣", "１", "−1", "½", "∞", "1\u{a0}", "1\u{200b}",
    // Strings.
    "\"", "\"a", "a\"", "'a'", "`a`", "“a”", "\"a\"\"", "\"a\" \"b\"", "\"a\"b", "\"\\\"", "\"\\",
    "\"\\a\"", "\"\\v\"", "\"\\0\"", "\"\\'\"", "\"\\x41\"", "\"\\101\"", "\"\\ \"", "\"\\\n\"",
    "\"\\é\"", "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123g\"", "\"\\u 123\"",
    "\"\\u-123\"", "\"\\u+123\"", "\"\\u{41}\"", "\"\\U0041\"", "\"\\ud834\\u\"",
    "\"\\ud834\\udd1\"", "\"\\u１２３４\"", "\"\u{0}\"", "\"\u{1}\"", "\"\u{8}\"", "\"\t\"", "\"\n\"",
    "\"\r\"", "\"\u{c}\"", "\"\u{1b}\"", "\"\u{1f}\"",
    // Arrays.
    "[", "]", "[]]", "[[]", "[1", "[1,", "[,", "[,]", "[1,]", "[,1]", "[1,,2]", "[1,2,,]", "[1 2]",
    "[1;2]", "[1:2]", "[1}", "(1)", "<1>", "[\"a\"", "[\"a", "[\"a]", "[a]", "[1]2", "[1] [2]",
    "[*]", "[...]", "[1]a", "[\"a\":1]", "[1\u{b}]", "[\u{c}]", "[\u{a0}]", "[\u{feff}]",
    "[\u{2028}]", "[\u{85}]", "[\u{0}]", "[\u{200b}]", "[\u{3000}]", "[//\n]",
    // Objects.
    "{", "{]", "{}}", "{{}}", "{{}:1}", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,\"a\":1}",
    "{\"a\" 1}", "{\"a\"=1}", "{\"a\",1}", "{\"a\"::1}", "{\"a\":1:2}", "{\"a\":1 \"b\":2}",
    "{\"a\":1;\"b\":2}", "{\"a\":1,,\"b\":2}", "{\"a\":1", "{\"a\":", "{\"a\"", "{\"a", "{a:1}",
    "{'a':1}", "{1:1}", "{null:1}", "{true:1}", "{[]:1}", "{\"a\":1]", "{\"a\":1}}",
    "{\"a\":1} {}", "{\"a\":1}x", "{\"a\":a}", "{:1}", "{\"a\":'b'}", "{\"\\x\":1}",
    "{\"a\nb\":1}", "{\"a\":1}}}", "{...}", "{\"a\":.}", "{\"\\u12\":1}",
    // What other notations have.
    "// a\n1", "/* a */ 1", "1 // a", "1 /* a */", "/**/", "# a\n1", "<!-- a -->", "1;", ";", "=1",
    ":1", ",", "1,", "\\", "\\n", "@", "&", "!1", "~1", "1 2", "[] []", "{} {}", "$ref",
    "\u{feff}1", "1\u{feff}", "\u{a0}1", "\u{2028}1", "\u{b}1", "\u{c}1", "\u{0}", "1\u{0}",
    "\u{1}1", "\u{1a}", "\u{7f}1", "\u{85}1",
];

/// Bytes that are no UTF-8: stray, torn, overlong, surrogates, beyond the last character.
#[rustfmt::skip]
const NOT_UTF8: &[&[u8]] = &[
    b"\x80", b"\xBF", b"\xFF", b"\xFE", b"\xC3", b"\xC3\x28", b"\xE2\x82", b"\xE2\x28\xA1",
    b"\xF0\x9F\xA6", b"\xF0\x28\x8C\xBC", b"\xC0\x80", b"\xC0\xAF", b"\xC1\xBF", b"\xE0\x80\x80",
    b"\xE0\x9F\xBF", b"\xF0\x80\x80\x80", b"\xF0\x8F\xBF\xBF", b"\xED\xA0\x80", b"\xED\xBF\xBF",
    b"\xED\xA0\xB4\xED\xB4\x9E", b"\xF4\x90\x80\x80", b"\xF5\x80\x80\x80", b"\xF8\x88\x80\x80\x80",
    b"\xFC\x84\x80\x80\x80\x80",
];

/// All values, with those that are long or deep.
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = VALUES.iter().map(|text| text.as_bytes().to_vec()).collect();
    values.extend([
        b"9".repeat(10_000),
        [b"0.".as_slice(), &b"1".repeat(10_000)].concat(),
        [b"1e".as_slice(), &b"9".repeat(10_000)].concat(),
        [b"\"".as_slice(), &b"a".repeat(50_000), b"\""].concat(),
        [b"\"".as_slice(), &b"\\u0000".repeat(8_000), b"\""].concat(),
        [b"[".repeat(30_000), b"]".repeat(30_000)].concat(),
        [b"{\"a\":".repeat(10_000), b"{}".to_vec(), b"}".repeat(10_000)].concat(),
        [b"[{\"a\":".repeat(7_000), b"0".to_vec(), b"}]".repeat(7_000)].concat(),
        [b"[".as_slice(), &b" \n\t\r".repeat(10_000), b"]"].concat(),
        [b"[".as_slice(), &b"0,".repeat(20_000), b"0]"].concat(),
    ]);
    values
}

/// All that are none, with those that are long, deep or not even text.
fn others() -> Vec<Vec<u8>> {
    let mut others: Vec<Vec<u8>> = OTHERS.iter().map(|text| text.as_bytes().to_vec()).collect();
    // Where text may stand, and where none may.
    for bytes in NOT_UTF8 {
        others.push([b"\"".as_slice(), bytes, b"\""].concat());
        others.push([b"{\"".as_slice(), bytes, b"\":1}"].concat());
        others.push([b"[\"a\",\"".as_slice(), bytes, b"a\"]"].concat());
        others.push(bytes.to_vec());
    }
    others.extend([
        b"[".repeat(60_000),
        b"{\"a\":".repeat(12_000),
        b"[{\"a\":".repeat(9_000),
        [b"[".repeat(30_000), b"]".repeat(29_999)].concat(),
        [b"[".repeat(30_000), b"}".repeat(30_000)].concat(),
        [b"1e".as_slice(), &b"9".repeat(10_000), b"."].concat(),
    ]);
    others
}

/// A good record with this value of a key that nobody knows: at its end, or in the middle.
fn records_with(value: &[u8]) -> [Vec<u8>; 2] {
    let good = Record::plain(1, "session", "/").to_json().expect("JSON");
    let start = good.strip_suffix("\n}").expect("an object").as_bytes();
    let with = |end: &[u8]| [start, b",\n  \"unknown\": ", value, end].concat();
    [with(b"\n}"), with(b",\n  \"later\": 1\n}")]
}

#[test]
fn what_is_json_is_read_and_kept_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.runtime.json");
    let values = values();
    for value in &values {
        let shown = String::from_utf8_lossy(&value[..value.len().min(60)]).into_owned();
        let text = std::str::from_utf8(value).expect("a value is text");
        for record in records_with(value) {
            let record =
                Record::from_json(record).unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert_eq!(record.extra.get("unknown"), Some(text), "{shown}");
            sessionreg::write(&path, &record).unwrap_or_else(|error| panic!("{shown}: {error}"));
            let read = sessionreg::load(&path).unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert_eq!(read, record, "{shown}");
            assert_eq!(read.extra.get("unknown"), Some(text), "{shown}");
            let written = fs::read_to_string(&path).expect("text");
            assert!(written.contains(&format!("\"unknown\": {text}")), "{shown}");
        }
    }
    println!("{} values kept", values.len());
}

#[test]
fn what_is_no_json_is_refused() {
    let others = others();
    let mut accepted = Vec::new();
    for other in &others {
        for record in records_with(other) {
            let shown =
                String::from_utf8_lossy(&record[record.len().saturating_sub(80)..]).into_owned();
            match Record::from_json(&record) {
                Ok(_) => accepted.push(shown),
                Err(error) => assert_eq!(error.code(), ErrorCode::Corrupt, "{shown}: {error}"),
            }
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
    println!("{} texts refused", others.len());
}

/// Around the object: white space of four kinds, and nothing else.
#[test]
fn a_record_is_one_object_and_white_space() {
    let good = Record::plain(1, "session", "/").to_json().expect("JSON");
    for (before, after) in [("", "\n"), (" ", " "), ("\n\t\r ", "\r\n\t "), ("", "")] {
        Record::from_json(format!("{before}{good}{after}")).expect("a record");
    }
    let refused = [
        format!("\u{feff}{good}"),
        format!("{good}\u{feff}"),
        format!("{good}\0"),
        format!("\0{good}"),
        format!("\u{a0}{good}"),
        format!("\u{c}{good}"),
        format!("{good}\u{b}"),
        format!("{good}{good}"),
        format!("{good},"),
        format!("[{good}]"),
        format!("({good})"),
        format!("x{good}"),
        format!("// a\n{good}"),
        good.replace('"', "'"),
        good.replace('{', "["),
        good[..good.len() - 1].to_owned(),
        good[1..].to_owned(),
        String::new(),
        " ".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        serde_json::to_string(&good).expect("JSON"),
    ];
    for text in refused {
        let error = Record::from_json(&text).expect_err(&text);
        assert_eq!(error.code(), ErrorCode::Corrupt, "{text:?}: {error}");
    }
}
