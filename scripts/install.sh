#!/usr/bin/env bash
# Builds the C library and installs it: header, shared and static library, pkg-config file.
#
#   PREFIX=/usr/local DESTDIR= LIBDIR=$PREFIX/lib scripts/install.sh
#
# DESTDIR is put before every path, for those who make packages of it. After an installation into
# a folder that the loader knows, run ldconfig.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly prefix=${PREFIX:-/usr/local}
readonly libdir=${LIBDIR:-$prefix/lib}
readonly to=${DESTDIR:-}
readonly built=${CARGO_TARGET_DIR:-target}/release

[[ $prefix == /* && $libdir == /* ]] || { echo "PREFIX and LIBDIR must be absolute paths" >&2; exit 2; }

field() {
    sed -n "s/^$2 = \"\(.*\)\"$/\1/p" "$1" | head -n 1
}
version=$(field Cargo.toml version)
description=$(field ffi-c/Cargo.toml description)
readonly version description major=${version%%.*}

# `sudo make install` may not find cargo: then what was built before is installed.
if command -v cargo >/dev/null; then
    cargo build --locked --release -p sessionreg-ffi
elif [[ ! -f $built/libsessionreg.a ]]; then
    echo "there is no cargo, and nothing was built before" >&2
    exit 1
fi

put() {
    install -d "$to$(dirname "$3")"
    install -m "$1" "$2" "$to$3"
}

put_link() {
    ln -sfn "$1" "$to$2"
}

# What the static library needs is what `rustc --print native-static-libs` says.
case $(uname -s) in
    Linux)
        put 755 "$built/libsessionreg.so" "$libdir/libsessionreg.so.$version"
        put_link "libsessionreg.so.$version" "$libdir/libsessionreg.so.$major"
        put_link "libsessionreg.so.$major" "$libdir/libsessionreg.so"
        libs_private="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"
        ;;
    Darwin)
        put 755 "$built/libsessionreg.dylib" "$libdir/libsessionreg.$version.dylib"
        # A program remembers this name of it, and so finds it without an rpath.
        install_name_tool -id "$libdir/libsessionreg.$major.dylib" "$to$libdir/libsessionreg.$version.dylib"
        # The change broke the signature, without which Apple silicon loads nothing.
        codesign --force --sign - "$to$libdir/libsessionreg.$version.dylib"
        put_link "libsessionreg.$version.dylib" "$libdir/libsessionreg.$major.dylib"
        put_link "libsessionreg.$major.dylib" "$libdir/libsessionreg.dylib"
        libs_private="-lSystem -lc -lm"
        ;;
    *)
        echo "this installs on Linux and macOS; elsewhere take target/release and include" >&2
        exit 1
        ;;
esac
put 644 "$built/libsessionreg.a" "$libdir/libsessionreg.a"
put 644 include/sessionreg.h "$prefix/include/sessionreg.h"

install -d "$to$libdir/pkgconfig"
sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" \
    -e "s|@DESCRIPTION@|$description|" -e "s|@LIBS_PRIVATE@|$libs_private|" \
    ffi-c/sessionreg.pc.in >"$to$libdir/pkgconfig/sessionreg.pc"
chmod 644 "$to$libdir/pkgconfig/sessionreg.pc"
echo "installed sessionreg $version in $to$prefix"
