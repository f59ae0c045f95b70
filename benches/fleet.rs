//! The time, memory and calls of a fleet: `cargo bench --bench fleet`.
//!
//! Each row is a fleet: `sandbox serve` is one process with all accounts on one port, and the client is another. Both are
//! optimized builds, and they share the processors of the machine. A client with `--accounts-at-once 1` makes the
//! same calls one after the other: the times are also printed as ratios to its time. The bench asserts nothing about speed.
//!
//!     cargo bench --bench fleet -- [--rows TEXT]
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_iam-boundaries");

#[cfg(not(unix))]
fn main() {
    println!("this bench measures processes of Unix");
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn Error>> {
    unix::main()
}

/// What a row runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Plan,
    Apply,
}

/// A fleet, and what is done with it.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    work: Work,
    accounts: usize,
    /// The number of users in each account.
    users: usize,
    file: File,
    /// The maximum number of accounts at the same time; `None` for the default.
    at_once: Option<usize>,
    goal: Option<Goal>,
}

/// How the boundaries file decides about the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    /// An entry for each user. One of this number differs from the account; 0 for none.
    Entries { differs: usize },
    /// Rules with patterns of names. One of 100 users differs from the account if it is set.
    Rules { differs: bool },
}

#[derive(Debug, Clone, Copy)]
struct Goal {
    time: Duration,
    megabytes: u64,
    /// The calls in each account, without AssumeRole.
    calls: f64,
}

const LATENCY_MILLISECONDS: u32 = 50;
const IN_SYNC: File = File::Entries { differs: 0 };
const ONE_PERCENT: File = File::Entries { differs: 100 };
/// The accounts whose peak of memory is compared with that of the first number.
const MEMORY_ACCOUNTS: [usize; 3] = [50, 100, 200];

/// A plan of many accounts with the default options.
const fn plan(name: &'static str, accounts: usize, users: usize, file: File) -> Row {
    let goal = Goal { time: Duration::from_secs(60), megabytes: 300, calls: 6.0 };
    let (work, at_once, goal) = (Work::Plan, None, Some(goal));
    Row { name, work, accounts, users, file, at_once, goal }
}

const LARGE: [Row; 4] = [
    plan("200 × 5,000, in sync", 200, 5_000, IN_SYNC),
    plan("200 × 5,000, 1% differs", 200, 5_000, ONE_PERCENT),
    plan("200 × 5,000 by rules, in sync", 200, 5_000, File::Rules { differs: false }),
    plan("200 × 5,000 by rules, 1% differs", 200, 5_000, File::Rules { differs: true }),
];
const MANY: [Row; 2] = [
    plan("2,000 × 100, in sync", 2_000, 100, IN_SYNC),
    plan("2,000 × 100, 1% differs", 2_000, 100, ONE_PERCENT),
];
/// The first row of [`LARGE`] and of [`MANY`] with a tenth of the accounts, one after the other.
const LARGE_BASELINE: Row = baseline("20 × 5,000, one account at a time", 20, 5_000);
const MANY_BASELINE: Row = baseline("200 × 100, one account at a time", 200, 100);
const APPLY: Row = Row {
    name: "apply, 200 × 10 changes",
    work: Work::Apply,
    accounts: 200,
    users: 100,
    file: File::Entries { differs: 10 },
    at_once: None,
    goal: None,
};

const fn baseline(name: &'static str, accounts: usize, users: usize) -> Row {
    let (work, at_once) = (Work::Plan, Some(1));
    Row { name, work, accounts, users, file: IN_SYNC, at_once, goal: None }
}

/// The result of a row.
#[derive(Debug, Clone, Copy)]
struct Measured {
    time: Duration,
    /// The time of the processors in the client and in the sandbox.
    client: Duration,
    sandbox: Duration,
    /// The peak of the client, in bytes.
    peak: u64,
    /// The calls in each account, in the mean, without AssumeRole.
    calls: f64,
}

impl Row {
    /// The number of changes in all accounts.
    fn changes(&self) -> usize {
        self.accounts * (0..self.users).filter(|&n| self.file.differs(n)).count()
    }

    /// The fleet file.
    fn fleet(&self) -> String {
        let mut text = "assume_role = \"role/iam-boundaries\"\nfiles = [\"boundaries.toml\"]\n\n\
                        [accounts]\n"
            .to_owned();
        for n in 0..self.accounts {
            let id = match n {
                0 => iam_boundaries::sandbox::ACCOUNT.to_owned(),
                n => format!("{}", 200_000_000_000 + n),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "account-{n:04} = \"{id}\"");
        }
        text
    }
}

impl File {
    /// Whether the user with this number has another boundary than the file says.
    fn differs(self, n: usize) -> bool {
        match self {
            File::Entries { differs } => differs > 0 && n % differs == 41 % differs,
            File::Rules { differs } => differs && n % 100 == 41,
        }
    }

    /// The boundaries file. Of every five users of the sandbox, the first has no boundary, the second has `Contractor` and
    /// the others have `Developer`.
    fn text(self, users: usize) -> String {
        let mut text = "[boundaries]\ndeveloper = \"policy/Developer\"\n\
                        contractor = \"policy/Contractor\"\n\n"
            .to_owned();
        match self {
            File::Entries { .. } => {
                text += "[users]\n";
                for n in 0..users {
                    let boundary = match n % 5 {
                        0 => "false",
                        1 if !self.differs(n) => "\"contractor\"",
                        _ => "\"developer\"",
                    };
                    let name = iam_boundaries::sandbox::awkward_name(n);
                    let _ = writeln!(text, "\"{name}\" = {boundary}");
                }
            }
            File::Rules { differs } => {
                if differs {
                    text += &rule(&["41"], "developer");
                }
                text += &rule(&["1", "6"], "contractor");
                text += &rule(&["2", "3", "4", "7", "8", "9"], "developer");
            }
        }
        text
    }
}

/// A rule for the users of the sandbox whose number ends with one of these digits.
fn rule(digits: &[&str], boundary: &str) -> String {
    let of = |digits: &&str| {
        ["*D", "*D@example.com", "-*D-"].map(|it| format!("\"{}\"", it.replace('D', digits)))
    };
    let patterns: Vec<String> = digits.iter().flat_map(of).collect();
    format!("[[rules]]\nname = [{}]\nboundary = \"{boundary}\"\n\n", patterns.join(", "))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1_000_000.0)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn header() {
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>8} {:>7}  goal",
        "", "time", "client", "sandbox", "memory", "calls"
    );
}

fn print(row: &Row, measured: &Measured) {
    let Measured { time, client, sandbox, peak, calls } = *measured;
    let goal = row.goal.map_or(String::new(), |goal| {
        let mut text = format!("{}, {} MB", seconds(goal.time), goal.megabytes);
        let mut is_met = time <= goal.time && peak <= goal.megabytes * 1_000_000;
        // Each policy that is set needs another call.
        if row.changes() == 0 {
            let _ = write!(text, ", {} calls", goal.calls);
            is_met &= calls <= goal.calls;
        }
        format!("{text}: {}", if is_met { "yes" } else { "NO" })
    });
    println!(
        "{:34} {:>8} {:>8} {:>8} {:>8} {calls:>7.2}  {goal}",
        row.name,
        seconds(time),
        seconds(client),
        seconds(sandbox),
        megabytes(peak),
    );
}

/// The client of a row.
fn client(row: &Row, folder: &Path, endpoint: &str) -> Command {
    let mut client = Command::new(BINARY);
    client.args(["--fleet", "fleet.toml", "--endpoint-url", endpoint, "--color", "never"]);
    match row.work {
        Work::Plan => client.args(["plan", "--detailed-exitcode"]),
        Work::Apply => client.args(["apply", "--auto-approve"]),
    };
    if let Some(at_once) = row.at_once {
        client.args(["--accounts-at-once", &at_once.to_string()]);
    }
    client
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("AWS_ACCESS_KEY_ID", iam_boundaries::sandbox::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", iam_boundaries::sandbox::SECRET_ACCESS_KEY)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", folder.join("none"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("none"));
    client
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io::{self, BufRead, BufReader, Read};
    use std::process::{Child, Stdio};
    use std::time::Instant;

    use nix::sys::resource::{Usage, UsageWho, getrusage};
    use rustix::process::{Pid, Signal, kill_process};

    use super::{
        APPLY, BINARY, Command, Duration, Error, LARGE, LARGE_BASELINE, LATENCY_MILLISECONDS, MANY,
        MANY_BASELINE, MEMORY_ACCOUNTS, Measured, Row, Work, client, header, print,
    };

    /// The first argument of a process that runs one client.
    const MEASURE: &str = "measure";

    pub(super) fn main() -> Result<(), Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1).filter(|name| name != "--bench");
        let mut rows = String::new();
        while let Some(name) = arguments.next() {
            match name.as_str() {
                MEASURE => return measure_child(&arguments.collect::<Vec<_>>()),
                "--rows" => rows = arguments.next().ok_or("--rows needs a value")?,
                _ => return Err(format!("unknown argument {name}").into()),
            }
        }
        let run = |row: &Row| -> Result<Option<Measured>, Box<dyn Error>> {
            if !row.name.contains(&rows) {
                return Ok(None);
            }
            let measured = measured(row)?;
            print(row, &measured);
            Ok(Some(measured))
        };
        header();
        for (each, baseline) in [(&LARGE[..], LARGE_BASELINE), (&MANY[..], MANY_BASELINE)] {
            let first = each.first().map_or(Ok(None), &run)?;
            for row in each.iter().skip(1) {
                run(row)?;
            }
            let alone = run(&baseline)?;
            if let (Some(first), Some(alone)) = (first, alone) {
                let ten_times = alone.time.as_secs_f64() * 10.0;
                let ratio = first.time.as_secs_f64() / ten_times;
                println!("{:34} {ratio:>7.2}× of ten times the time of one at a time", "");
            }
        }
        run(&APPLY)?;
        let mut first = None;
        for accounts in MEMORY_ACCOUNTS {
            let row = Row { name: "memory, 1% differs", accounts, goal: None, ..LARGE[1] };
            if let Some(Measured { peak, .. }) = run(&row)? {
                let first = *first.get_or_insert(peak);
                let ratio = peak as f64 / first as f64;
                println!("{accounts:>34} accounts: ×{ratio:.2}");
            }
        }
        Ok(())
    }

    /// Measures a row with a sandbox of its own.
    fn measured(row: &Row) -> Result<Measured, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("fleet.toml"), row.fleet())?;
        fs::write(folder.path().join("boundaries.toml"), row.file.text(row.users))?;
        let mut sandbox = Sandbox::start(row)?;
        let client = client(row, folder.path(), &sandbox.endpoint);
        let mut measuring = Command::new(std::env::current_exe()?);
        measuring.arg(MEASURE).arg(client.get_program()).args(client.get_args());
        measuring.current_dir(folder.path());
        measuring.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = measuring.output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8(output.stdout)?;
        let numbers: Vec<u64> =
            said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [exit_code, time, client, peak] = numbers[..] else {
            return Err(format!("{}: the client could not be run: {errors}", row.name).into());
        };
        let before = processor_time(&getrusage(UsageWho::RUSAGE_CHILDREN)?)?;
        let table = sandbox.stop()?;
        let after = processor_time(&getrusage(UsageWho::RUSAGE_CHILDREN)?)?;
        let expected = u64::from(row.work == Work::Plan && row.changes() > 0) * 2;
        if exit_code != expected {
            let name = row.name;
            return Err(
                format!("{name}: exit code {exit_code}, expected {expected}: {errors}").into()
            );
        }
        Ok(Measured {
            time: Duration::from_nanos(time),
            client: Duration::from_nanos(client),
            sandbox: after - before,
            peak,
            calls: calls(&table, row),
        })
    }

    /// Runs the client and prints its exit code, its time, the time of the processors (both in nanoseconds) and its peak
    /// of memory in bytes. No other child of this process counts.
    fn measure_child(command: &[String]) -> Result<(), Box<dyn Error>> {
        let (program, arguments) = command.split_first().ok_or("no client")?;
        let began = Instant::now();
        let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
        let time = began.elapsed();
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        let peak = u64::try_from(usage.max_rss())? * unit;
        let exit_code = status.code().ok_or("the client was ended by a signal")?;
        let client = processor_time(&usage)?;
        println!("{exit_code} {} {} {peak}", time.as_nanos(), client.as_nanos());
        Ok(())
    }

    /// The time of the processors in a process and in its system calls.
    fn processor_time(usage: &Usage) -> Result<Duration, Box<dyn Error>> {
        let microseconds = [usage.user_time(), usage.system_time()]
            .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
        Ok(Duration::from_micros(microseconds.iter().sum::<i64>().try_into()?))
    }

    /// The calls in each account from the sandbox's table, without AssumeRole and the base identity's call.
    fn calls(table: &str, row: &Row) -> f64 {
        let mut calls = 0;
        for line in table.lines() {
            let mut words = line.split_whitespace();
            if let (Some(action), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) {
                let number: u64 = number;
                match action {
                    "AssumeRole" => {}
                    "GetCallerIdentity" => calls += number - 1,
                    _ => calls += number,
                }
            }
        }
        calls as f64 / row.accounts as f64
    }

    struct Sandbox {
        process: Child,
        endpoint: String,
    }

    impl Sandbox {
        fn start(row: &Row) -> Result<Sandbox, Box<dyn Error>> {
            let mut process = Command::new(BINARY)
                .args(["sandbox", "serve", "--port", "0"])
                // The last account is suspended.
                .args(["--accounts", &(row.accounts + 1).to_string()])
                .args(["--users", &row.users.to_string()])
                .args(["--latency", &LATENCY_MILLISECONDS.to_string()])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let mut line = String::new();
            BufReader::new(process.stdout.take().ok_or("no standard output")?)
                .read_line(&mut line)?;
            let endpoint = line.split_whitespace().last().unwrap_or_default().to_owned();
            Ok(Sandbox { process, endpoint })
        }

        /// Ends the sandbox. Returns its table of calls.
        fn stop(&mut self) -> Result<String, Box<dyn Error>> {
            let process = Pid::from_child(&self.process);
            kill_process(process, Signal::INT).map_err(io::Error::from)?;
            let mut table = String::new();
            if let Some(errors) = &mut self.process.stderr {
                errors.read_to_string(&mut table)?;
            }
            self.process.wait()?;
            Ok(table)
        }
    }

    impl Drop for Sandbox {
        fn drop(&mut self) {
            // It has ended already unless an error occurred.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}
