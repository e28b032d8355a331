//! Names the library for the loader: its name carries the major number of the binary interface.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Makes every exported function panic at its entry, for the test that none lets it through.
    println!("cargo::rustc-check-cfg=cfg(sessionreg_force_panic)");
    let name = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android") => "-Wl,-soname,libsessionreg.so.0",
        Ok("macos") => "-Wl,-install_name,@rpath/libsessionreg.0.dylib",
        _ => return,
    };
    println!("cargo::rustc-cdylib-link-arg={name}");
}
