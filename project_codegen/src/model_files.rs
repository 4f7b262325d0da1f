//! The files of one model: what is renewed, what is made once, and what stays as it is.

use crate::failure::Failure;
use crate::file_changes::FileChanges;
use crate::header::{Header, sealed, untouched};
use crate::identifiers::task_struct;
use crate::kept_task::KeptTask;
use crate::kind::Kind;
use crate::model::Model;
use crate::registry;
use crate::rustfmt::formatted;
use crate::sorted_modules::with_module;
use crate::workspace::{
    GENERATED_MODULES, REGISTRY, SCHEMA_MODULES, TASK_MODULES, Workspace, generated_file, record_file, task_file,
};
use crate::{generated_file as generated, record_file as record, task_file as task};

/// A file, and what happens to it.
pub(crate) type Deed = (&'static str, String);

/// The generated file of a task as it is, if there is one and nobody has edited it.
pub(crate) fn existing_header(
    workspace: &Workspace,
    changes: &FileChanges,
    task: &str,
) -> Result<Option<Header>, Failure> {
    let file = generated_file(task);
    changes.read(workspace, &file)?.map(|text| untouched(&text, &file)).transpose()
}

/// The text that the generated file shall have.
pub(crate) fn generated_text(workspace: &Workspace, model: &Model) -> Result<String, Failure> {
    let text = formatted(workspace, &generated_file(&model.task), &generated::text(model))?;
    Ok(sealed(&text))
}

/// Notes everything that a model needs; `kept` is what is there of its task.
pub(crate) fn note_files(
    workspace: &Workspace,
    changes: &mut FileChanges,
    model: &Model,
    kept: Option<&KeptTask>,
) -> Result<Vec<Deed>, Failure> {
    let mut deeds = Vec::new();
    let file = generated_file(&model.task);
    let is_new = changes.read(workspace, &file)?.is_none();
    let changed = changes.set(workspace, &file, generated_text(workspace, model)?)?;
    deeds.push((
        if is_new {
            "made"
        } else if changed {
            "renewed"
        } else {
            "unchanged"
        },
        file,
    ));
    declare(workspace, changes, &mut deeds, GENERATED_MODULES, &model.task)?;
    if model.kind != Kind::Huge {
        let file = record_file(&model.task);
        make_once(workspace, changes, &mut deeds, &file, || record::text(model))?;
        declare(workspace, changes, &mut deeds, SCHEMA_MODULES, &model.task)?;
    }
    let name = kept.map_or_else(|| task_struct(&model.task), |kept| kept.name.clone());
    make_once(workspace, changes, &mut deeds, &task_file(&model.task), || task::text(model, &name))?;
    declare(workspace, changes, &mut deeds, TASK_MODULES, &model.task)?;
    let registry = changes.read_existing(workspace, REGISTRY)?;
    if !registry::mentions(&registry, &model.task) {
        let text = registry::with_task(&registry, &model.task, &name, model.kind)?;
        changes.set(workspace, REGISTRY, formatted(workspace, REGISTRY, &text)?)?;
        deeds.push(("changed", REGISTRY.to_owned()));
    }
    Ok(deeds)
}

fn declare(
    workspace: &Workspace,
    changes: &mut FileChanges,
    deeds: &mut Vec<Deed>,
    file: &str,
    module: &str,
) -> Result<(), Failure> {
    let before = changes.read_existing(workspace, file)?;
    let text = with_module(&before, module);
    if text != before {
        // In its order, whatever its version and style make of numbers inside of names.
        changes.set(workspace, file, formatted(workspace, file, &text)?)?;
        deeds.push(("changed", file.to_owned()));
    }
    Ok(())
}

fn make_once(
    workspace: &Workspace,
    changes: &mut FileChanges,
    deeds: &mut Vec<Deed>,
    file: &str,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    if changes.read(workspace, file)?.is_some() {
        deeds.push(("kept", file.to_owned()));
        return Ok(());
    }
    changes.set(workspace, file, formatted(workspace, file, &text())?)?;
    deeds.push(("made", file.to_owned()));
    Ok(())
}

/// Refuses names that belong to something else already.
pub(crate) fn refuse_strangers(workspace: &Workspace, changes: &FileChanges, task: &str) -> Result<(), Failure> {
    for file in [record_file(task), task_file(task)] {
        let text = changes.read(workspace, &file)?;
        let ours = [format!("generated::{task}"), generated_file(task), format!("project_schemas::{task}::")];
        if text.is_some_and(|text| !ours.iter().any(|mention| text.contains(mention))) {
            return Err(taken(task, &file));
        }
    }
    let own = task_file(task);
    for (_, file) in workspace.modules_in("project_tasks/src/tasks")? {
        if file != own && names_task(&workspace.read_existing(&file)?, task) {
            return Err(taken(task, &file));
        }
    }
    Ok(())
}

fn taken(task: &str, file: &str) -> Failure {
    Failure::refused(format!(
        "the name {task} is taken by {file}; give the new task another one (TASK=...), or remove the old one: its files \
         and its lines in mod.rs, lib.rs and registry.rs"
    ))
}

/// Whether the file implements a task of this name.
fn names_task(text: &str, task: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with("fn name(&self)"));
    lines.nth(1).is_some_and(|line| line.trim() == format!("\"{task}\""))
}
