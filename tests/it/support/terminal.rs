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

/// The lines that a terminal of this width shows after these bytes, as if it had no last row.
pub fn shown(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![Vec::<char>::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                // ESC [ parameters letter
                let sequence: Vec<char> = {
                    let mut sequence = Vec::new();
                    for c in rest.by_ref() {
                        sequence.push(c);
                        if c.is_ascii_alphabetic() {
                            break;
                        }
                    }
                    sequence
                };
                let number: String = sequence.iter().filter(|c| c.is_ascii_digit()).collect();
                match (sequence.last(), number.as_str()) {
                    (Some('A'), count) => row -= count.parse().unwrap_or(1).min(row),
                    (Some('B'), count) => row += count.parse().unwrap_or(1),
                    (Some('K'), "2") => lines[row].clear(),
                    (Some('K'), _) => lines[row].truncate(column),
                    _ => {}
                }
            }
            c => {
                if column == width {
                    (row, column) = (row + 1, 0);
                }
                lines.resize(lines.len().max(row + 1), Vec::new());
                let length = lines[row].len().max(column + 1);
                lines[row].resize(length, ' ');
                lines[row][column] = c;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    lines.into_iter().map(|line| line.into_iter().collect()).collect()
}
