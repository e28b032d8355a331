//! The committed header is the one that this source says: `include/sessionreg.h`, a manual.
//!
//! `UPDATE=1 cargo test -p sessionreg-ffi` writes it anew. Every source file is a section: its
//! module documentation, its types, its functions.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

/// The sections, in the order in which one reads them.
const SECTIONS: [&str; 37] = [
    "status",
    "text",
    "holder",
    "error",
    "record",
    "fields",
    "getters",
    "extra",
    "json",
    "file",
    "verdict",
    "paths",
    "dialect",
    "skipped",
    "list",
    "registry",
    "session",
    "new",
    "sweep",
    "claim",
    "sources",
    "agent_session",
    "agent_getters",
    "agent_sessions",
    "snapshot",
    "batch",
    "monitor",
    "polled",
    "cleaned",
    "details",
    "restore",
    "lease",
    "channel",
    "restoring",
    "waiting",
    "events",
    "restored",
];

/// The types that other sections use as well.
const TYPES: [&str; 52] = [
    "sessionreg_status",
    "sessionreg_text",
    "sessionreg_error",
    "sessionreg_holder",
    "sessionreg_fields",
    "sessionreg_record",
    "sessionreg_write_options",
    "sessionreg_state",
    "sessionreg_reason",
    "sessionreg_verdict",
    "sessionreg_dialect",
    "sessionreg_registry",
    "sessionreg_registry_options",
    "sessionreg_list",
    "sessionreg_entry",
    "sessionreg_skipped",
    "sessionreg_session",
    "sessionreg_on_error",
    "sessionreg_new",
    "sessionreg_sweep_options",
    "sessionreg_swept",
    "sessionreg_removed",
    "sessionreg_claim",
    "sessionreg_source",
    "sessionreg_sources",
    "sessionreg_agent_session",
    "sessionreg_agent_sessions",
    "sessionreg_snapshot",
    "sessionreg_batch",
    "sessionreg_monitor",
    "sessionreg_monitor_options",
    "sessionreg_polled",
    "sessionreg_clean_up_options",
    "sessionreg_cleaned",
    "sessionreg_tidied",
    "sessionreg_restore_table",
    "sessionreg_action",
    "sessionreg_restore_options",
    "sessionreg_lease",
    "sessionreg_end_reason",
    "sessionreg_channel",
    "sessionreg_on_teardown",
    "sessionreg_restoring",
    "sessionreg_drop",
    "sessionreg_outcome",
    "sessionreg_waiting",
    "sessionreg_subscription",
    "sessionreg_event",
    "sessionreg_event_kind",
    "sessionreg_stage",
    "sessionreg_restored_list",
    "sessionreg_restored",
];

/// Members that the `_INIT` macros set to something else than what says: absent.
const DEFAULTS: [(&str, &str); 9] = [
    ("create_folders", "true"),
    ("dialect", "SESSIONREG_DIALECT_DETECTED"),
    ("pid_file", "true"),
    ("on_error", "NULL"),
    ("fold_ms", "-1"),
    ("poll_ms", "-1"),
    ("limit", "20"),
    ("timeout_ms", "60000"),
    ("ring_capacity", "4000"),
];

#[test]
fn the_committed_header_is_what_the_source_says() {
    let path = folder().join("../include/sessionreg.h");
    let header = header();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &header).unwrap();
    }
    // A checkout under Windows may have other line ends.
    let committed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        committed == header,
        "include/sessionreg.h has drifted: UPDATE=1 cargo test -p sessionreg-ffi"
    );
}

#[test]
fn every_source_file_with_exports_is_a_section() {
    for entry in fs::read_dir(folder().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if fs::read_to_string(&path).unwrap().contains("no_mangle") {
            assert!(SECTIONS.contains(&name), "{name}.rs is missing from the header");
        }
    }
}

#[test]
fn the_examples_of_the_header_are_those_that_are_tested() {
    let example = |name| fs::read_to_string(folder().join("../examples/c").join(name)).unwrap();
    let manual = documentation("lib");
    let (_, judge) = example("judge.c").split_once("*/\n").map(to_owned).unwrap();
    assert!(manual.contains(&judge), "examples/c/judge.c is not the one in the manual");

    let sections = [
        ("registry", "status_bar.c"),
        ("new", "register.c"),
        ("monitor", "watch.c"),
        ("restore", "restore.c"),
    ];
    for (section, name) in sections {
        let (_, program) = example(name).split_once("*/\n").map(to_owned).unwrap();
        assert!(documentation(section).contains(&program), "{name} is not the one in the manual");
    }

    let serve = example("serve.c").replace("\n    ", "\n");
    let (_, body) = serve.split_once("int main(void) {\n").unwrap();
    let (body, _) = body.rsplit_once("return 0;").unwrap();
    assert!(manual.contains(body), "examples/c/serve.c is not the one in the manual");
}

fn to_owned((first, second): (&str, &str)) -> (String, String) {
    (first.to_owned(), second.to_owned())
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn source(name: &str) -> PathBuf {
    folder().join("src").join(name).with_extension("rs")
}

fn header() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut header = comment(&documentation("lib"));
    write!(
        header,
        "\n#ifndef SESSIONREG_H\n#define SESSIONREG_H\n\n\
         #include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n\
         /** The version that this header belongs to; see `sessionreg_version`. */\n\
         #define SESSIONREG_VERSION \"{version}\"\n\n\
         #ifdef __cplusplus\n{EXTERN_C}#endif\n"
    )
    .expect("a string takes all");
    for name in SECTIONS {
        write!(header, "\n{}\n{}", comment(&documentation(name)), section(name))
            .expect("a string takes all");
    }
    header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* SESSIONREG_H */\n");
    header
}

const EXTERN_C: &str = "extern \"C\" {\n";

/// What cbindgen makes of one source file.
fn section(name: &str) -> String {
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        style: Style::Both,
        usize_is_size_t: true,
        no_includes: true,
        documentation_style: DocumentationStyle::Doxy,
        line_length: 100,
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config).with_src(source(name));
    for name in TYPES {
        builder = builder.include_item(name);
    }
    let mut bytes = Vec::new();
    builder.generate().expect("cbindgen reads the source").write(&mut bytes);
    let text = String::from_utf8(bytes).expect("the header is text");
    let text = text
        // There is one for the whole header.
        .replace(&format!("\n#ifdef __cplusplus\n{EXTERN_C}#endif // __cplusplus\n"), "")
        .replace(&format!("#ifdef __cplusplus\n{EXTERN_C}#endif // __cplusplus\n\n"), "")
        .replace("\n#ifdef __cplusplus\n}  // extern \"C\"\n#endif  // __cplusplus\n", "");
    with_initializers(&with_short_comments(&without_struct_keywords(&text)))
}

/// Every structure has a typedef, which is enough to name it.
fn without_struct_keywords(text: &str) -> String {
    let mut out = String::new();
    // The parameters below a line from which the keyword was taken.
    let mut shift = "";
    for line in text.lines() {
        let line = line.strip_prefix(shift).unwrap_or(line);
        if line.starts_with("typedef struct ") {
            out += line;
        } else {
            out += &line.replace("struct sessionreg_", "sessionreg_");
        }
        out.push('\n');
        let returned = line.split_once('(').map_or("", |(returned, _)| returned);
        if returned.contains("struct sessionreg_") {
            shift = "       ";
        }
        if line.ends_with(';') {
            shift = "";
        }
    }
    out
}

/// A comment of one line takes one line.
fn with_short_comments(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut short = String::new();
    let mut rest = &lines[..];
    while let [line, after @ ..] = rest {
        rest = after;
        short.push_str(line);
        if let [content, end, after @ ..] = rest
            && line.ends_with("/**")
            && end.trim() == "*/"
        {
            let content = content.trim_start().trim_start_matches('*');
            write!(short, "{content} */").expect("a string takes all");
            rest = after;
        }
        short.push('\n');
    }
    short
}

/// An `_INIT` macro behind each structure that begins with its size.
fn with_initializers(text: &str) -> String {
    let mut out = String::new();
    let mut members: Vec<&str> = Vec::new();
    for line in text.lines() {
        out.push_str(line);
        out.push('\n');
        if line.starts_with("typedef struct") {
            members.clear();
        } else if let Some(member) = line.strip_prefix("  ").and_then(|it| it.strip_suffix(';'))
            && !member.starts_with([' ', '/'])
        {
            members.push(member);
        } else if let Some(name) = line.strip_prefix("} ").and_then(|it| it.strip_suffix(';'))
            && members.first() == Some(&"size_t struct_size")
        {
            out.push_str(&initializer(name, &members));
        }
    }
    out
}

fn initializer(structure: &str, members: &[&str]) -> String {
    let name = structure.to_uppercase() + "_INIT";
    let mut text =
        format!("\n/** A `{structure}` in which nothing is given. */\n#define {name} \\\n");
    for (index, member) in members.iter().enumerate() {
        let (kind, name) = member.rsplit_once([' ', '*']).expect("a type and a name");
        let value = match DEFAULTS.iter().find(|(member, _)| *member == name) {
            Some((_, value)) => (*value).to_owned(),
            None if name == "struct_size" => format!("sizeof({structure})"),
            None if member.contains('*') => "NULL".to_owned(),
            None if kind == "double" => "NAN".to_owned(),
            None if kind == "bool" => "false".to_owned(),
            None => "0".to_owned(),
        };
        let open = if index == 0 { '{' } else { ' ' };
        let last = index + 1 == members.len();
        let end = if last { " }\n" } else { ", \\\n" };
        write!(text, "  {open} /* {name} */ {value}{end}").expect("a string takes all");
    }
    text
}

/// The `//!` lines of a source file.
fn documentation(name: &str) -> String {
    let text = fs::read_to_string(source(name)).expect("a source file");
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n")
}

/// A block comment in which titles are underlined and code is indented.
fn comment(text: &str) -> String {
    assert!(!text.contains("/*") && !text.contains("*/"), "a comment within a comment");
    let mut comment = "/*\n".to_owned();
    let mut indent = "";
    for line in text.lines() {
        if line.starts_with("```") {
            indent = if indent.is_empty() { "    " } else { "" };
        } else if let (Some(title), "") = (line.strip_prefix("# "), indent) {
            writeln!(comment, " * {title}\n * {}", "-".repeat(title.len()))
                .expect("a string takes all");
        } else {
            comment.push_str(format!(" * {indent}{line}").trim_end());
            comment.push('\n');
        }
    }
    comment + " */\n"
}
