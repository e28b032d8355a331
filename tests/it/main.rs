//! Tests of the whole, by the processes and vectors that all languages share.

mod helper;
mod promises;
mod properties;
mod restore;
mod vectors;
mod zoo;
