//! What kind of file it is, and how its rows come to the server: read and encoded on a thread that may block, a bounded
//! number of pieces ahead.

use crate::InputFile;
use crate::column_match::FileColumn;
use crate::csv_input::CsvInput;
use crate::error::{InsertError, InsertErrorKind};
use crate::parquet_input::ParquetInput;
use crate::target_table::TargetColumn;
use bytes::Bytes;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use tokio::sync::mpsc::Sender;

/// Bytes of a piece.
pub(crate) const PIECE: usize = 1 << 20;

/// An open file whose columns are known.
pub(crate) enum Input {
    Parquet(Box<ParquetInput>),
    Csv(CsvInput),
}

/// The format of a COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyFormat {
    Binary,
    Text,
    Csv,
}

impl CopyFormat {
    /// As it stands in parentheses.
    pub(crate) fn options(self) -> &'static str {
        match self {
            Self::Binary => "FORMAT binary",
            Self::Text => "FORMAT text",
            // The header is the server's first line too, so that it counts lines as an editor does.
            Self::Csv => "FORMAT csv, HEADER true",
        }
    }

    /// What a message calls a row.
    pub(crate) fn unit(self) -> &'static str {
        if self == Self::Csv { "line" } else { "row" }
    }
}

impl Input {
    /// Opens a file and reads what says which columns it has.
    pub(crate) fn open(file: &InputFile) -> Result<Self, InsertError> {
        let mut opened = File::open(&file.path).map_err(|error| unreadable(&file.name, &error))?;
        let mut start = [0; 4];
        let length = read_some(&mut opened, &mut start).map_err(|error| unreadable(&file.name, &error))?;
        opened.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&file.name, &error))?;
        match &start[..length] {
            b"PAR1" => Ok(Self::Parquet(Box::new(ParquetInput::open(&file.name, opened)?))),
            [] => Err(InsertError::data(format!("{} is empty; a CSV file has a header at least", file.name))),
            start => Ok(Self::Csv(CsvInput::open(file, opened, start.starts_with(&[0x1f, 0x8b]))?)),
        }
    }

    pub(crate) fn columns(&self) -> &[FileColumn] {
        match self {
            Self::Parquet(input) => input.columns(),
            Self::Csv(input) => input.columns(),
        }
    }

    /// The fastest format that can hold every value.
    pub(crate) fn format(&self, targets: &[TargetColumn]) -> CopyFormat {
        match self {
            Self::Parquet(input) => input.format(targets),
            Self::Csv(_) => CopyFormat::Csv,
        }
    }

    /// Sends all rows in this format; returns how many there were. Blocks.
    pub(crate) fn send(self, targets: &[TargetColumn], format: CopyFormat, to: &Pieces) -> Result<u64, InsertError> {
        match self {
            Self::Parquet(input) => input.send(targets, format, to),
            Self::Csv(input) => input.send(to),
        }
    }
}

/// Where pieces go.
pub(crate) struct Pieces(pub(crate) Sender<Bytes>);

impl Pieces {
    /// Waits for room. When nobody takes pieces any more, whoever has stopped knows why.
    pub(crate) fn send(&self, piece: Vec<u8>) -> Result<(), InsertError> {
        self.0.blocking_send(piece.into()).map_err(|_| InsertError::stopped())
    }
}

pub(crate) fn unreadable(name: &str, error: &std::io::Error) -> InsertError {
    // What the decompressor says of a file that was cut or changed.
    let damaged = matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof);
    let kind = if damaged { InsertErrorKind::Data } else { InsertErrorKind::Disk };
    InsertError::new(kind, format!("{name} cannot be read: {error}"))
}

/// As much as there is, up to the length of the buffer.
pub(crate) fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
