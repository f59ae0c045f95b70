use super::access::reject_file;
use super::args::{Args, MergeArgs, ReportCommand};
use super::exit_code::Exit;
use super::failure::Failure;
use super::fleet;
use super::output::Output;
use crate::ops::{self, MergeOptions, Merged};
use crate::report::{Headline, MergedRuns, render_fleet_plan, render_merged_runs};

pub(super) fn run(args: &Args, command: &ReportCommand, output: &Output) -> Result<Exit, Failure> {
    let ReportCommand::Merge(command) = command;
    merge(args, command, output)
}

fn merge(args: &Args, command: &MergeArgs, output: &Output) -> Result<Exit, Failure> {
    let name = "report merge";
    reject_file(args, name, "specify only the plans or run reports of the shards")?;
    let of_fleet = [("--fleet", args.fleet.is_some()), ("--account", !args.account.is_empty())];
    if let Some((option, _)) = of_fleet.into_iter().find(|(_, is_set)| *is_set) {
        return Err(Failure::new(format!("{option} cannot be used with {name}"))
            .help("specify only the plans or run reports of the shards"));
    }
    let MergeArgs { files, out, format, detailed_exitcode, .. } = command;
    match ops::merge(&MergeOptions { files: files.clone(), out: out.clone() })? {
        Merged::Plan(plan) => {
            output.conclude(|| Headline::of_fleet_plan(&plan));
            if let Some(path) = out {
                output.remark(&fleet::saved(&plan, path));
            }
            output.result(*format, &render_fleet_plan(&plan, (*format).into(), output.out))?;
            let has_changes = *detailed_exitcode && plan.changes() > 0;
            Ok(super::plan::exit(plan.is_incomplete(), has_changes))
        }
        Merged::Reports(reports) => {
            let runs = MergedRuns::merge(reports)?;
            if out.is_some() {
                return Err(Failure::new("--out cannot be used with run reports").help(
                    "omit --out: the merged report goes to standard output, which you can redirect",
                ));
            }
            output.conclude(|| Headline::of_merged_runs(&runs));
            output.result(*format, &render_merged_runs(&runs, (*format).into(), output.out))?;
            Ok(fleet::exit(runs.result()))
        }
    }
}
