//! What the targets share.
//!
//! The server's reader of rows comes in by its files: the server itself would bring HTTP and S3 along, to be instrumented
//! with everything else.

#[allow(dead_code, unused_imports, reason = "only the reader is called")]
#[path = "../../server/src"]
mod server {
    pub(crate) mod error;
    pub(crate) mod python;
    pub(crate) mod complaint;
    pub mod matrix;
    pub(crate) mod columns;
    pub mod csv;
}

#[path = "../../tests/src/repair.rs"]
mod repair;

// The reader's files name one another from the top of their crate.
use server::{columns, complaint, csv, error, matrix, python};

pub mod readers;
