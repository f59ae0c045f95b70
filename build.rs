//! Compresses the catalog of actions: 490 kB of text become about 110 kB of the binary.

use std::io::Write as _;
use std::path::Path;
use std::{env, error::Error, fs};

use flate2::{Compression, write::DeflateEncoder};

const CATALOG: &str = "src/impact/catalog.txt";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={CATALOG}");
    println!("cargo::rerun-if-changed=build.rs");
    let text = fs::read(CATALOG)?;
    let out = Path::new(&env::var("OUT_DIR")?).join("catalog.deflate");
    let mut encoder = DeflateEncoder::new(fs::File::create(out)?, Compression::best());
    encoder.write_all(&text)?;
    encoder.finish()?;
    Ok(())
}
