//! Pages compressed by libdeflate instead of by parquet-rs.
//!
//! parquet-rs cannot be given another GZIP, but it can be given another place for finished pages. Its columns are told
//! not to compress; this place compresses each page as it arrives, writes the new size into the page's header, and in
//! the end corrects the metadata of the column. libdeflate makes these pages a fifth smaller than zlib-rs does in the
//! same time, and compressing is the largest cost of a run.

use crate::compressed_column::{ColumnPages, FinishedColumn, Page, PageKind, compress, compressor};
use anyhow::{Result, bail};
use bytes::Bytes;
use libdeflater::Compressor;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::column::page_store::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::errors::{ParquetError, Result as ParquetResult};
use std::fmt;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Makes the places for the pages of one file, and keeps hold of them until a row group is finished.
pub(crate) struct GzipPages {
    compressor: Shared<Compressor>,
    columns: Mutex<Vec<Shared<ColumnPages>>>,
}

type Shared<T> = Arc<Mutex<T>>;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // One thread writes a file, so nobody can have left a value half-changed.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GzipPages {
    /// A place that compresses at the level, 1 to 9.
    pub(crate) fn new(level: u32) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { compressor: Arc::new(Mutex::new(compressor(level)?)), columns: Mutex::default() }))
    }

    /// Bytes of the pages that wait for their row group.
    pub(crate) fn memory_size(&self) -> usize {
        lock(&self.columns).iter().map(|column| lock(column).bytes()).sum()
    }

    /// The finished columns of a row group, in order, each with its bytes and its corrected metadata.
    pub(crate) fn finish(&self, chunks: Vec<ArrowColumnChunk>) -> Result<Vec<FinishedColumn>> {
        let columns = take(&mut *lock(&self.columns));
        if columns.len() != chunks.len() {
            bail!("{} columns were closed but pages came from {}", chunks.len(), columns.len());
        }
        let finished = chunks.into_iter().zip(columns).map(|(chunk, pages)| {
            let written = chunk.close();
            let indexes = (written.column_index.clone(), written.offset_index.clone());
            take(&mut *lock(&pages)).assemble(written.metadata.clone(), written.rows_written, indexes)
        });
        finished.collect()
    }
}

impl fmt::Debug for GzipPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GzipPages").finish_non_exhaustive()
    }
}

impl PageStoreFactory for GzipPages {
    fn create(&self, _: &PageStoreArgs<'_>) -> ParquetResult<Box<dyn PageStore>> {
        let pages = Shared::<ColumnPages>::default();
        lock(&self.columns).push(Arc::clone(&pages));
        Ok(Box::new(ColumnStore { pages, compressor: Arc::clone(&self.compressor), header: None }))
    }
}

/// Takes a header and a body in turn, as parquet-rs hands them over.
struct ColumnStore {
    pages: Shared<ColumnPages>,
    compressor: Shared<Compressor>,
    header: Option<Bytes>,
}

impl PageStore for ColumnStore {
    fn put(&mut self, value: Bytes) -> ParquetResult<PageKey> {
        let Some(header) = self.header.take() else {
            self.header = Some(value);
            return Ok(PageKey::new(0));
        };
        let body = compress(&mut lock(&self.compressor), &value)?;
        let (kind, patched) = with_compressed_size(&header, body.len())
            .ok_or_else(|| ParquetError::General("a page header has a form that is not known".to_owned()))?;
        let growth = patched.len() as i64 - header.len() as i64;
        lock(&self.pages).push(kind, Page { header: patched, body }, growth);
        Ok(PageKey::new(0))
    }

    fn take(&mut self, _: PageKey) -> ParquetResult<Bytes> {
        Err(ParquetError::General("pages are taken from GzipPages::finish".to_owned()))
    }

    fn memory_size(&self) -> usize {
        lock(&self.pages).bytes()
    }
}

/// Replaces the third field of a page header, `compressed_page_size`, and says what kind of page it is.
///
/// A header (parquet.thrift, `PageHeader`) in Thrift's compact protocol begins with three 32-bit integers, fields 1 to
/// 3: type, uncompressed size, compressed size. Each is a byte of 0x15 (field id one above the last, type i32) and a
/// zigzag varint; whatever follows is kept as it is.
fn with_compressed_size(header: &[u8], compressed: usize) -> Option<(PageKind, Vec<u8>)> {
    let (kind, rest) = next_i32(header)?;
    let (_, rest) = next_i32(rest)?;
    let unchanged = header.len() - rest.len();
    let (_, rest) = next_i32(rest)?;
    let kind = match kind {
        // Zigzag doubles: DATA_PAGE is 0, DICTIONARY_PAGE is 2. Version 2 pages are laid out otherwise and not written.
        [0] => PageKind::Data,
        [4] => PageKind::Dictionary,
        _ => return None,
    };
    let mut patched = Vec::with_capacity(header.len() + 4);
    patched.extend_from_slice(&header[..unchanged]);
    patched.push(NEXT_I32);
    let mut zigzag = u32::try_from(compressed).ok()?.checked_mul(2)?;
    while zigzag >= 0x80 {
        patched.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    patched.push(zigzag as u8);
    patched.extend_from_slice(rest);
    Some((kind, patched))
}

const NEXT_I32: u8 = 0x15;

/// The varint of the next field and what follows it.
fn next_i32(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.strip_prefix(&[NEXT_I32])?;
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    bytes.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::with_compressed_size;
    use crate::compressed_column::PageKind;

    #[test]
    fn only_the_third_field_changes() {
        // type 0, uncompressed 300 (zigzag 600 = d8 04), compressed 300, then whatever follows.
        let header = [0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0xd8, 0x04, 0x2c, 0x15, 0x02];
        let expected = vec![0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x0a, 0x2c, 0x15, 0x02];
        assert_eq!(with_compressed_size(&header, 5), Some((PageKind::Data, expected)));
        assert_eq!(with_compressed_size(&header, 300), Some((PageKind::Data, header.to_vec())));
    }

    #[test]
    fn an_unknown_form_is_refused() {
        for header in [&[][..], &[0x15], &[0x15, 0x06, 0x15, 0x02, 0x15, 0x02], &[0x18, 0x00], &[0x15, 0x80, 0x80]] {
            assert_eq!(with_compressed_size(header, 1), None, "{header:?}");
        }
    }
}
