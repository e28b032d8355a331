//! Link arguments of a Node addon: its symbols come from the process that loads it.

fn main() {
    napi_build::setup();
}
