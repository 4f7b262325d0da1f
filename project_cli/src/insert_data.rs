//! `--file`: rows of a file or of a query's result go into a table of another database.

use crate::config::{InsertedRows, Insertion, RunConfig};
use crate::destination::IN_SCRATCH;
use crate::inputs::inputs;
use crate::query_result::result_file;
use crate::report::grouped;
use crate::report::step::{InsertionFigures, StepFigures, StepReport};
use crate::signals::stoppable;
use crate::staging::StagingFolder;
use anyhow::Result;
use project_insert_data::{InputFile, Inserted, check, insert};
use project_publish::RunId;
use tokio_util::sync::CancellationToken;

/// Rows whose table was found and may be written to.
pub(crate) struct RowsToInsert<'a> {
    insertion: &'a Insertion,
    config: &'a RunConfig,
    run: RunId,
}

impl<'a> RowsToInsert<'a> {
    /// Looks at the table before anything is read.
    pub(crate) async fn prepare(insertion: &'a Insertion, config: &'a RunConfig, run: &RunId) -> Result<Self> {
        insertion.spares(config.source.as_ref())?;
        let rows = Self { insertion, config, run: run.clone() };
        Box::pin(check(&insertion.target, run.as_str(), &rows.request(Vec::new()))).await?;
        Ok(rows)
    }

    /// What goes where, for people.
    pub(crate) fn about(&self) -> String {
        format!("{} into {}", self.insertion.rows, self.insertion.into)
    }

    /// Inserts them, and says how many they were.
    pub(crate) async fn insert(self, step: &mut StepReport, cancel: &CancellationToken) -> Result<()> {
        let Self { insertion, config, .. } = &self;
        let done = match &insertion.rows {
            InsertedRows::File(place) => {
                let inputs = Box::pin(inputs("file", place, &config.aws, &config.scratch));
                let inputs = stoppable(cancel, inputs).await?;
                let files = inputs.files.iter();
                let files =
                    files.map(|file| InputFile { path: file.path.clone(), name: file.name.clone(), declared: None });
                self.insert_files(files.collect(), cancel).await?
            }
            InsertedRows::Query { sql, lake } => {
                // Called like the folder of a run, so that the next run removes it after a kill.
                let folder = config.scratch.join(format!("{IN_SCRATCH}{}", RunId::now()));
                let _staging = StagingFolder::create(folder.clone())?;
                // It stops by itself, because Athena has to be told.
                let result = Box::pin(result_file(sql, lake, &folder, cancel)).await?;
                self.insert_files(vec![result], cancel).await?
            }
        };
        step.outcome = Some(sentence(&done));
        step.figures = Some(StepFigures::Insertion(InsertionFigures {
            rows_read: done.rows_read,
            inserted: done.inserted,
            updated: done.updated,
            unchanged: done.unchanged,
            differing: done.differing,
            deleted: done.deleted,
        }));
        Ok(())
    }

    async fn insert_files(&self, files: Vec<InputFile>, cancel: &CancellationToken) -> Result<Inserted> {
        let request = self.request(files);
        Ok(Box::pin(insert(&self.insertion.target, self.run.as_str(), &request, cancel)).await?)
    }

    fn request(&self, files: Vec<InputFile>) -> project_insert_data::Insertion {
        let Insertion { into, key, mode, .. } = self.insertion;
        project_insert_data::Insertion {
            files,
            table: into.clone(),
            key: (!key.is_empty()).then(|| key.clone()),
            mode: *mode,
            max_shrink: self.config.gate.max_shrink.into(),
            force: self.config.gate.force,
        }
    }
}

/// Read is what was inserted, updated and left unchanged; what was deleted is beside that.
fn sentence(done: &Inserted) -> String {
    let differing = match done.differing {
        0 => String::new(),
        rows => format!(" ({} of them differ from the input; --mode=upsert updates them)", grouped(rows)),
    };
    let deleted = match done.deleted {
        0 => String::new(),
        rows => format!("; {} deleted", grouped(rows)),
    };
    let notes: String = done.notes.iter().map(|note| format!("; {note}")).collect();
    format!(
        "{} rows read = {} inserted + {} updated + {} unchanged{differing}{deleted}{notes}",
        grouped(done.rows_read),
        grouped(done.inserted),
        grouped(done.updated),
        grouped(done.unchanged)
    )
}
