//! The terminal: taken whole, and given back as it was, whatever ends us.

use std::{
    io::{self, Read, Write},
    panic, thread,
};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::line::Line;

/// What Control and C come as: the terminal makes no signals of keys.
pub(super) const CTRL_C: u8 = 3;

/// Another screen without a cursor; and the first one with it, in plain letters.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";
/// Where drawing begins; what ends a line, and a picture: what is behind is erased.
const HOME: &str = "\x1b[H";
const LINE_END: &str = "\x1b[K";
const PICTURE_END: &str = "\x1b[J";

/// Columns and rows of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// The terminal, until it is dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes the terminal of standard input and output, and tells which keys are pressed from now on.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn take() -> io::Result<(Self, UnboundedReceiver<u8>)> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        let terminal = Self { before };
        restore_before_panics(&terminal.before);
        write(ENTER)?;
        Ok((terminal, keys()))
    }

    /// How large the screen is; what terminals once were, where it does not say.
    #[expect(clippy::unused_self, reason = "only who has the terminal asks")]
    pub(super) fn size(&self) -> Size {
        let size = termios::tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        let (columns, rows) = size.map_or((80, 24), |size| (size.ws_col, size.ws_row));
        Size { columns: columns.into(), rows: rows.into() }
    }

    /// Draws as many lines as there is room for, over what is there.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn draw(&mut self, lines: &[Line]) -> io::Result<()> {
        let Size { columns, rows } = self.size();
        let lines: Vec<String> = lines.iter().take(rows).map(|line| line.for_terminal(columns) + LINE_END).collect();
        write(&format!("{HOME}{}{PICTURE_END}", lines.join("\r\n")))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore(&self.before);
    }
}

fn restore(before: &Termios) {
    // Whoever took the terminal away meanwhile has no use for what is written to it.
    drop(write(LEAVE));
    let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, before);
}

/// A panic's text is to be read on the screen that stays.
fn restore_before_panics(before: &Termios) {
    let (before, told) = (before.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |panic| {
        restore(&before);
        told(panic);
    }));
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Bytes from standard input, read by a thread that ends with the process.
fn keys() -> UnboundedReceiver<u8> {
    let (sender, keys) = mpsc::unbounded_channel();
    let read = move || {
        let mut key = [0];
        while io::stdin().lock().read_exact(&mut key).is_ok() && sender.send(key[0]).is_ok() {}
    };
    // Without the thread there are no keys, and signals still end us.
    drop(thread::Builder::new().name("thicket-keys".to_owned()).spawn(read));
    keys
}
