//! A client that costs next to nothing: times requests to any server.
//!
//! usage: exchange ADDRESS
//!
//! Each line of standard input is a list in JSON of requests as text. They are sent one after another over a new connection,
//! each once the answer to the one before is there. The first is not timed: it shows that the server has the connection. A
//! line comes back with the time of the others in ns, and the status and the body of each answer.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::json;
use thicket_rivals::Result;

const SILENCE: Duration = Duration::from_mins(1);

fn main() -> Result<()> {
    let address = env::args().nth(1).ok_or("usage: exchange ADDRESS")?;
    for line in io::stdin().lines() {
        let requests: Vec<String> = serde_json::from_str(&line?)?;
        let told = match exchange(&address, &requests) {
            Ok((time, answers)) => json!({ "ns": u64::try_from(time.as_nanos())?, "answers": answers }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        println!("{told}");
    }
    Ok(())
}

/// The time from the second request to the last answer, and all answers.
fn exchange(address: &str, requests: &[String]) -> Result<(Duration, Vec<(u16, String)>)> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut stream = BufReader::new(stream);
    let (mut began, mut answers) = (Instant::now(), Vec::with_capacity(requests.len()));
    for (number, request) in requests.iter().enumerate() {
        if number == 1 {
            began = Instant::now();
        }
        stream.get_mut().write_all(request.as_bytes())?;
        answers.push(answer(&mut stream)?);
    }
    Ok((began.elapsed(), answers))
}

/// Reads a whole answer, which has to say how long it is.
fn answer(stream: &mut impl BufRead) -> Result<(u16, String)> {
    let (mut status, mut length, mut line) = (0, None, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the server closed the connection before the end of an answer".into());
        }
        match line.trim_end().split_once(": ").or_else(|| line.trim_end().split_once(':')) {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = Some(value.parse()?),
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => status = line.get(9..12).ok_or("no line of a status")?.parse()?,
        }
    }
    let mut body = vec![0; length.ok_or("an answer does not say how long it is")?];
    stream.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body)?))
}
