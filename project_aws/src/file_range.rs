//! Reading a range of a local file into memory, on a blocking thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;

use crate::checksum::Crc32;
use crate::error::{AwsError, AwsErrorKind};

/// The bytes of a range and their checksum.
pub(crate) struct Range {
    pub(crate) data: Bytes,
    pub(crate) crc32: Crc32,
}

/// Reads exactly `bytes` bytes from `offset`.
pub(crate) async fn read_range(path: &Path, offset: u64, bytes: u64) -> Result<Range, AwsError> {
    let owned = path.to_owned();
    // The checksum is made here, too: 16 MiB of it would hold up everything else on the thread of the connections.
    let read = tokio::task::spawn_blocking(move || {
        let data = read_exactly(&owned, offset, bytes)?;
        let crc32 = Crc32::of(&data);
        Ok(Range { data: data.into(), crc32 })
    });
    read.await.map_err(io::Error::other).flatten().map_err(|error| cannot_read(path, error))
}

/// Refuses a file that is not as long as it was when it was written.
pub(crate) async fn check_length(path: &Path, bytes: u64) -> Result<(), AwsError> {
    let found = tokio::fs::metadata(path).await.map_err(|error| cannot_read(path, error))?.len();
    if found == bytes {
        return Ok(());
    }
    Err(AwsError::new(
        AwsErrorKind::LocalDisk,
        format!(
            "{} has {found} bytes, but {bytes} were written to it; something else changes the folder: \
             give every run a folder of its own and run it again",
            path.display()
        ),
    ))
}

fn read_exactly(path: &Path, offset: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let length = usize::try_from(bytes).map_err(io::Error::other)?;
    let mut data = vec![0; length];
    file.read_exact(&mut data)?;
    Ok(data)
}

fn cannot_read(path: &Path, error: io::Error) -> AwsError {
    let text = format!(
        "cannot read {} to upload it: {error}; is the disk in order and nothing else removing the file?",
        path.display()
    );
    AwsError::new(AwsErrorKind::LocalDisk, text).caused_by(error)
}
