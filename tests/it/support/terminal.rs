//! A person at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::Ran;

/// Runs a command at a terminal. Types `before` before it starts, and `answer` when the question ends with `end`.
pub async fn answer(
    mut command: Command,
    before: &'static str,
    end: &'static str,
    answer: &'static str,
) -> Ran {
    let run = move || {
        let pty = nix::pty::openpty(None, None).unwrap();
        let mut terminal = File::from(pty.master);
        terminal.write_all(before.as_bytes()).unwrap();
        command.stdin(pty.slave).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut stderr, mut asked, mut byte) = (child.stderr.take().unwrap(), Vec::new(), [0]);
        while !asked.ends_with(end.as_bytes()) {
            let read = stderr.read_exact(&mut byte);
            read.unwrap_or_else(|_| panic!("no question: {}", String::from_utf8_lossy(&asked)));
            asked.push(byte[0]);
        }
        terminal.write_all(answer.as_bytes()).unwrap();
        let mut ran = {
            child.stderr = Some(stderr);
            Ran::of(child.wait_with_output().unwrap())
        };
        ran.err.insert_str(0, &String::from_utf8_lossy(&asked));
        ran
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
