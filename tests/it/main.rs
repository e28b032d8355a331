//! Tests of the whole, by the processes and vectors that all languages share.

mod helper;
mod vectors;
mod zoo;
