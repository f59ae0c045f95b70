//! Compresses the catalog of actions and the schemas: 730 kB of text become about 140 kB of the binary.

use std::io::Write as _;
use std::path::Path;
use std::{env, error::Error, fs};

use flate2::{Compression, write::DeflateEncoder};

const FILES: [&str; 5] = [
    "src/impact/catalog.txt",
    "schema/boundaries.schema.json",
    "schema/fleet.schema.json",
    "schema/plan.schema.json",
    "schema/fleet-plan.schema.json",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read(file)?;
        let name = Path::new(file).file_name().ok_or("a file has a name")?;
        let mut to = Path::new(&out).join(name).into_os_string();
        to.push(".deflate");
        let mut encoder = DeflateEncoder::new(fs::File::create(to)?, Compression::best());
        encoder.write_all(&text)?;
        encoder.finish()?;
    }
    Ok(())
}
