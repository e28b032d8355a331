//! Names the library for the loader: its name carries the major number of the binary interface.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Makes every exported function panic at its entry, for the test that none lets it through.
    println!("cargo::rustc-check-cfg=cfg(sessionreg_force_panic)");
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let arguments = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android") => vec![format!("-Wl,-soname,libsessionreg.so.{major}")],
        Ok("macos") => vec![
            format!("-Wl,-install_name,@rpath/libsessionreg.{major}.dylib"),
            // Room for the whole path, which an installation puts in place of that name.
            "-Wl,-headerpad_max_install_names".to_owned(),
        ],
        _ => return,
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
