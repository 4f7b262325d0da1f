//! The developer's tool behind `make create-model`, `make create-models` and `make codegen-check`.

use project_codegen::{Command, Failure, Workspace, check, create};
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    match run() {
        Ok(said) => {
            // A reader that has gone away has read enough.
            let _ = writeln!(stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            for line in failure.to_string().lines() {
                let _ = writeln!(stderr(), "error: {line}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run() -> Result<String, Failure> {
    let command = Command::from_environment()?;
    let workspace = Workspace::open(Path::new("."))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    runtime.block_on(async {
        match command {
            Command::Check(database) => {
                let files = check(&workspace, database).await?;
                let files =
                    if files == 1 { "1 generated file is".to_owned() } else { format!("{files} generated files are") };
                Ok(format!("codegen-check: {files} what the database would give"))
            }
            Command::Create(database, requests) => {
                let outcomes = create(&workspace, database, &requests).await?;
                Ok(outcomes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
        }
    })
}
