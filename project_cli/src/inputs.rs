//! Files that a run takes in, from wherever they are, as files of the local disk.

use crate::config::{ConfigError, Location};
use crate::destination::IN_SCRATCH;
use crate::staging::StagingFolder;
use anyhow::{Context, Result};
use project_aws::{Aws, AwsSettings, S3Url};
use project_publish::RunId;
use std::fs::{read_dir, symlink_metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;

/// Files that can be read for as long as this lives.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) files: Vec<InputFile>,
    /// What was downloaded goes with it.
    _folder: Option<StagingFolder>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputFile {
    /// On the local disk.
    pub(crate) path: PathBuf,
    /// As the person knows it.
    pub(crate) name: String,
}

/// The file at a place, or all files below it, sorted by their names. Hidden ones and those whose names, or the names of
/// whose folders, begin with an underscore are no data. What lies in S3 is downloaded into the scratch folder first.
pub(crate) async fn inputs(flag: &str, place: &Location, aws: &AwsSettings, scratch: &Path) -> Result<Inputs> {
    let inputs = match place {
        Location::Local(path) => {
            let (path, flag) = (path.clone(), flag.to_owned());
            Inputs { files: spawn_blocking(move || local_files(&flag, &path)).await??, _folder: None }
        }
        Location::S3(url) => downloaded(url.parse()?, aws, scratch).await?,
    };
    if inputs.files.is_empty() {
        return Err(
            ConfigError::configuration(format!("--{flag}={place}: there is no such file, and none below it")).into()
        );
    }
    Ok(inputs)
}

fn local_files(flag: &str, path: &Path) -> Result<Vec<InputFile>> {
    let mut files: Vec<PathBuf> = Vec::new();
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        Ok(facts) if facts.is_dir() => collect(path, &mut files)?,
        Ok(facts) if facts.is_file() => files.push(path.to_owned()),
        // To open a pipe is to wait for somebody, and what came out of it cannot be read again.
        Ok(_) => {
            let path = path.display();
            let what = format!("--{flag}={path} is neither a file nor a folder; write what it gives into a file");
            return Err(ConfigError::configuration(what).into());
        }
    }
    files.sort();
    Ok(files.into_iter().map(|path| InputFile { name: path.display().to_string(), path }).collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    for entry in read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if !is_data(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        // A link to a folder could lead in circles.
        if symlink_metadata(&path).with_context(unreadable)?.is_dir() {
            collect(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

async fn downloaded(place: S3Url, aws: &AwsSettings, scratch: &Path) -> Result<Inputs> {
    let aws = Aws::connect(aws).await?;
    // Called like the folder of a run, so that the next run removes it after a kill.
    let folder = scratch.join(format!("{IN_SCRATCH}{}", RunId::now()));
    let staging = StagingFolder::create(folder.clone())?;
    let mut files = Vec::new();
    let objects = match aws.object_facts(&place).await? {
        Some(_) if !place.prefix().is_empty() => vec![place],
        _ => {
            let below = aws.list_objects(&place).await?.into_iter().filter(|object| object.key.split('/').all(is_data));
            below.map(|object| place.join(&object.key)).collect()
        }
    };
    for (number, object) in objects.into_iter().enumerate() {
        let path = folder.join(number.to_string());
        // Gone since it was listed.
        if aws.download(&object, &path).await?.is_some() {
            files.push(InputFile { path, name: object.to_string() });
        }
    }
    Ok(Inputs { files, _folder: Some(staging) })
}

/// Whether a part of a path belongs to data; `_SUCCESS` and the folder that a console made do not.
fn is_data(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '_'])
}

#[cfg(test)]
mod tests {
    use super::{inputs, is_data};
    use crate::config::{ConfigError, Location};
    use project_aws::AwsSettings;
    use std::fs::{create_dir, write};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use tempfile::tempdir;

    #[tokio::test]
    async fn all_files_of_a_folder_but_those_that_are_no_data() {
        let folder = tempdir().unwrap();
        for name in ["b.csv", "a.csv", "_SUCCESS", ".hidden"] {
            write(folder.path().join(name), "x").unwrap();
        }
        for name in ["deep", "_temporary"] {
            create_dir(folder.path().join(name)).unwrap();
            write(folder.path().join(name).join("c.csv"), "x").unwrap();
        }
        symlink(folder.path(), folder.path().join("deep/round")).unwrap();
        let aws = AwsSettings { region: None, s3_path_style: false };
        let place = Location::Local(folder.path().to_owned());
        let found = inputs("extra", &place, &aws, folder.path()).await.unwrap();
        let names: Vec<_> = found.files.iter().map(|file| file.path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, ["a.csv", "b.csv", "deep/c.csv"].map(std::path::Path::new));
        let nothing = inputs("extra", &Location::Local(folder.path().join("x")), &aws, folder.path()).await;
        assert!(nothing.unwrap_err().to_string().contains("--extra="));
        let pipe = folder.path().join("pipe.csv");
        let _listening = UnixListener::bind(&pipe).unwrap();
        let refused = inputs("file", &Location::Local(pipe), &aws, folder.path()).await.unwrap_err();
        assert!(refused.is::<ConfigError>() && refused.to_string().contains("pipe.csv is neither a file"), "{refused}");
        assert!(!is_data("") && !is_data("_x") && is_data("x_"));
    }
}
