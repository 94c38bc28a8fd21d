//! Stands in front of a server that leaves Nagle's algorithm on, and acknowledges at once what comes from it.
//!
//! Such a server sends the head of an answer and then keeps the body back until the head is acknowledged; who receives it
//! does that 40 ms later, hoping for data to send along. Between machines the network hides that, on one it is all that is
//! measured.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::linux::net::TcpStreamExt,
    thread,
};

use crate::error::{Error, Result};

const BUFFER_BYTES: usize = 128 << 10;

/// Takes connections on a free port of loopback for as long as this process runs, each of which goes on to `address`;
/// returns where.
///
/// # Errors
/// When there is no free port.
pub fn relay(address: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Error::at("127.0.0.1:0"))?;
    let front = listener.local_addr().map_err(Error::at("127.0.0.1:0"))?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client whose connection fails here sees it closed.
            let _ = connect(client, address);
        }
    });
    Ok(front)
}

fn connect(client: TcpStream, address: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(address)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(from_client, to_server));
    thread::spawn(move || copy(server, client));
    Ok(())
}

/// Copies until one side ends, and ends the other one.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        // The kernel forgets it after a while.
        let read = from.set_quickack(true).and_then(|()| from.read(&mut buffer));
        let is_open = matches!(read, Ok(length @ 1..) if to.write_all(&buffer[..length]).is_ok());
        if !is_open {
            let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn answers_come_whole_and_without_waiting_for_acknowledgements() {
        const ANSWERS: u32 = 50;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = relay(listener.local_addr().unwrap()).unwrap();
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut byte = [0];
            while stream.read(&mut byte).unwrap() == 1 {
                stream.write_all(b"head").unwrap();
                stream.write_all(b"body").unwrap();
            }
        });
        let mut client = TcpStream::connect(front).unwrap();
        let start = Instant::now();
        for _ in 0..ANSWERS {
            let mut answer = [0; 8];
            client.write_all(b"x").unwrap();
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"headbody");
        }
        assert!(start.elapsed() < Duration::from_millis(20) * ANSWERS, "{:?}", start.elapsed());
        drop(client);
        server.join().unwrap();
    }
}
