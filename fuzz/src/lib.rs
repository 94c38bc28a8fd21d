//! What the targets share.
//!
//! The server's reader of rows comes in by links to its files: the server itself would bring HTTP and S3 along, to be
//! instrumented with everything else.

pub mod error;
pub mod matrix;
pub mod csv;
pub mod readers;
