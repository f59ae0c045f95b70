//! The time to apply changes against unknown rate limits: `cargo bench --bench pace`.
//!
//! Each row is a limit model of the sandbox with a constant or log-normal latency. Each column is a contestant: this
//! tool, the two retry modes of the SDK with their defaults, and a fixed rate limiter that knows the true rate. Times
//! are ratios to the shortest time that the limit allows. The bench asserts nothing about speed. A run that takes
//! 2.5 times the shortest time is ended.
//!
//!     cargo bench --bench pace -- [--seconds S] [--only ours] [--rows TEXT]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a bench prints its progress, and its modules are its own"
)]

mod contestants;
mod rows;

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use contestants::{Contestant, Run};
use rows::Row;

/// The maximum rate of all concurrent runs together, in calls per second: they share the machine.
const MAX_TOTAL_RATE: u32 = 400;

struct Arguments {
    seconds: f64,
    contestants: Vec<Contestant>,
    rows: String,
}

impl Arguments {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let mut arguments =
            Arguments { seconds: 30.0, contestants: Contestant::ALL.to_vec(), rows: String::new() };
        let mut given = std::env::args().skip(1);
        while let Some(name) = given.next() {
            // Cargo adds this argument.
            if name == "--bench" {
                continue;
            }
            let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--seconds" => arguments.seconds = value.parse()?,
                "--only" => {
                    arguments.contestants.retain(|contestant| contestant.name() == value);
                }
                "--rows" => arguments.rows = value,
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        Ok(arguments)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse()?;
    let rows: Vec<Row> = rows::all(arguments.seconds)?
        .into_iter()
        .filter(|row| row.name.contains(&arguments.rows))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The clients share this thread. The sandboxes use the others.
    let clients = tokio::task::LocalSet::new();
    let results = clients.block_on(&runtime, run_all(&rows, &arguments.contestants))?;
    print(&rows, &arguments.contestants, &results);
    Ok(())
}

type Results = Vec<Vec<Option<Run>>>;

/// Runs as many rows concurrently as [`MAX_TOTAL_RATE`] permits, the fastest first.
async fn run_all(rows: &[Row], contestants: &[Contestant]) -> Result<Results, Box<dyn Error>> {
    let places = Arc::new(Semaphore::new(MAX_TOTAL_RATE as usize));
    let results = Arc::new(Mutex::new(vec![vec![None; contestants.len()]; rows.len()]));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&one, &other| rows[other].rate.total_cmp(&rows[one].rate));
    let mut tasks = tokio::task::JoinSet::new();
    for at in order {
        for (column, &contestant) in contestants.iter().enumerate() {
            let share = (rows[at].rate.ceil() as u32).clamp(1, MAX_TOTAL_RATE);
            let place = places.clone().acquire_many_owned(share).await?;
            let (row, results) = (rows[at].clone(), results.clone());
            tasks.spawn_local(async move {
                let run = contestants::run(contestant, &row).await;
                eprintln!("{:58} {:9} {}", row.name, contestant.name(), run.brief(&row));
                if let Ok(mut results) = results.lock() {
                    results[at][column] = Some(run);
                }
                drop(place);
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done?;
    }
    let results = results.lock().map_err(|_| "a run panicked")?.clone();
    Ok(results)
}

fn print(rows: &[Row], contestants: &[Contestant], results: &Results) {
    let mut out = std::io::stdout().lock();
    // A closed standard output is not an error of the bench.
    let _ = write_table(&mut out, rows, contestants, results);
}

fn write_table(
    out: &mut impl Write,
    rows: &[Row],
    contestants: &[Contestant],
    results: &Results,
) -> std::io::Result<()> {
    write!(out, "\n{:58} {:>6} {:>7}", "limit", "items", "ideal")?;
    for contestant in contestants {
        write!(out, "  {:>29}", contestant.name())?;
    }
    writeln!(out, "  goals of ours: time, throttled calls")?;
    for (row, results) in rows.iter().zip(results) {
        write!(out, "{:58} {:>6} {:>5.1} s", row.name, row.items, row.ideal)?;
        for run in results {
            let text = run.as_ref().map_or("not run".to_owned(), |run| run.text(row));
            write!(out, "  {text:>29}")?;
        }
        let ours = contestants.iter().position(|contestant| *contestant == Contestant::Ours);
        let ours = ours.and_then(|column| results[column].as_ref());
        writeln!(out, "  {}", ours.map_or(String::new(), |run| run.against_goals(row)))?;
    }
    writeln!(
        out,
        "\nEach cell: time as a multiple of the ideal, items lost, throttled calls and their share of all calls.\n\
         > marks a run that took too long and was ended, with the items that were left."
    )
}
