//! Where a server that was started says that it listens.

use std::{
    io::{self, BufRead, BufReader},
    process::Child,
    thread,
};

/// What follows `marker` in the first line that has it; nothing when the output ends first, or is not piped.
pub fn await_announcement(child: &mut Child, marker: &str) -> Option<String> {
    let mut output = BufReader::new(child.stdout.take()?);
    let mut line = String::new();
    while output.read_line(&mut line).ok()? > 0 {
        if let Some((_, address)) = line.trim_end().split_once(marker) {
            // Somebody has to read on: a server that cannot print stands still.
            thread::spawn(move || io::copy(&mut output, &mut io::sink()));
            return Some(address.to_owned());
        }
        line.clear();
    }
    None
}
