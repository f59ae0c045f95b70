use std::path::PathBuf;

use super::error::Error;
use super::import::lists;
use super::out_file::OutFile;
use crate::config::{Config, Spreadsheet};
use crate::iam::{AccountId, PrincipalCounts};

/// Options of [`from_csv`].
#[derive(Debug, Clone)]
pub struct FromCsvOptions {
    /// The CSV file; `-` is standard input.
    pub csv: PathBuf,
    /// The account of the policies without an ARN, which the file is then for; `None` if every policy has an ARN.
    pub account: Option<AccountId>,
    /// Where to write the file; `None` only returns its text.
    pub out: Option<PathBuf>,
    /// Whether an existing file is replaced.
    pub force: bool,
}

/// A boundaries file with the boundaries of a spreadsheet.
#[derive(Debug, Clone)]
pub struct FromCsv {
    /// The text of the file.
    pub text: String,
    /// The numbers of principals with a boundary.
    pub with_boundary: PrincipalCounts,
    /// The numbers of principals that must have no boundary.
    pub without_boundary: PrincipalCounts,
}

/// Makes a boundaries file with the boundaries of a spreadsheet, without AWS, and writes it if `out` is a path.
///
/// # Errors
/// If the spreadsheet has errors, or the file cannot be written. Then no file is written.
pub fn from_csv(options: &FromCsvOptions) -> Result<FromCsv, Error> {
    let out = options.out.as_deref().map(|file| OutFile::at(file, options.force)).transpose()?;
    let spreadsheet = Spreadsheet::read(&options.csv, options.account)?;
    let text = spreadsheet.to_file();
    // The file must give the same boundaries when it is read.
    let config = Config::parse("(not written)", &text)?;
    if !lists(&config, spreadsheet.boundaries.iter()) {
        return Err(Error::FromCsvMismatch);
    }
    if let Some(file) = &out {
        file.write(&text)?;
    }
    let (with_boundary, without_boundary) = (spreadsheet.count(true), spreadsheet.count(false));
    Ok(FromCsv { text, with_boundary, without_boundary })
}
