//! A file as a stream of bytes, unpacked if it is gzip.

use crate::error::ExtraError;
use crate::source_file::SourceFile;
use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::ErrorKind::{Interrupted, InvalidData, InvalidInput, UnexpectedEof};
use std::io::{self, BufReader, Read, Seek};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 1 << 18;

/// An open file.
pub(crate) enum Input {
    Plain(File),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Input {
    /// Opens a file. What it is packed with is seen by its first bytes, whatever its name.
    pub(crate) fn open(source: &SourceFile) -> Result<Self> {
        let opening = || format!("cannot read {}", source.name);
        let mut file = File::open(&source.path).with_context(opening)?;
        let mut first = [0; GZIP.len()];
        let read = fill(&mut file, &mut first).with_context(opening)?;
        file.rewind().with_context(opening)?;
        if read == GZIP.len() && first == GZIP {
            return Ok(Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file)))));
        }
        Ok(Self::Plain(file))
    }

    /// Fills the buffer as far as there are bytes. A gzip file that ends early is an error, never an end.
    pub(crate) fn fill(&mut self, source: &SourceFile, buffer: &mut [u8]) -> Result<usize> {
        let read = match self {
            Self::Plain(file) => fill(file, buffer),
            Self::Gzip(unpacker) => fill(unpacker, buffer),
        };
        match (read, &self) {
            (Ok(read), _) => Ok(read),
            (Err(error), Self::Gzip(_)) if is_damage(&error) => Err(ExtraError::file(
                source,
                format!(
                    "the gzip data is damaged or cut short ({error}); nothing of it is taken, fetch the file again"
                ),
            )),
            (Err(error), _) => Err(error).with_context(|| format!("cannot read {}", source.name)),
        }
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
