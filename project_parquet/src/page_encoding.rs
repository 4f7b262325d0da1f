//! How a page is written: as indices into a dictionary where that is worth it, else as PLAIN.

use crate::dictionary::{Dictionary, MOST_DICTIONARY_BYTES};
use crate::hybrid::{bit_width, encode};
use parquet::basic::Encoding;

/// The values of the open page, and the dictionary of those before.
pub(crate) struct PageEncoding<D> {
    /// Until the first page with a value has shown whether a dictionary is worth it, the page is kept as indices.
    decided: bool,
    /// None when it was given up.
    dictionary: Option<D>,
    /// None when the dictionary was given up or is full.
    indices: Option<Vec<u32>>,
    /// The page when it has no indices.
    pub(crate) plain: Vec<u8>,
}

impl<D: Dictionary> PageEncoding<D> {
    pub(crate) fn new(dictionary: D) -> Self {
        Self { decided: false, dictionary: Some(dictionary), indices: Some(Vec::new()), plain: Vec::new() }
    }

    /// The dictionary and the page's indices into it; none when the page is PLAIN.
    pub(crate) fn indices(&mut self) -> Option<(&mut D, &mut Vec<u32>)> {
        self.dictionary.as_mut().zip(self.indices.as_mut())
    }

    /// How many values, and how many distinct ones, the page has that decides about the dictionary, while it is open.
    pub(crate) fn undecided(&self) -> Option<(usize, usize)> {
        let (dictionary, indices) = self.dictionary.as_ref().zip(self.indices.as_ref())?;
        (!self.decided).then(|| (indices.len(), dictionary.len()))
    }

    /// Turns the open page into PLAIN, and so will be those after it.
    pub(crate) fn give_dictionary_up(&mut self) {
        if let (Some(dictionary), Some(indices)) = (self.dictionary.take(), self.indices.take()) {
            indices.iter().for_each(|index| dictionary.put(*index, &mut self.plain));
        }
    }

    /// Appends the page's values to `body` and begins the next page.
    pub(crate) fn finish_page(&mut self, body: &mut Vec<u8>) -> Encoding {
        let Some((dictionary, indices)) = self.indices().filter(|(_, indices)| !indices.is_empty()) else {
            body.append(&mut self.plain);
            return Encoding::PLAIN;
        };
        let width = bit_width(dictionary.len() as u32 - 1);
        body.push(width as u8);
        encode(indices, width, body);
        indices.clear();
        if dictionary.plain_bytes() > MOST_DICTIONARY_BYTES {
            self.indices = None;
        }
        self.decided = true;
        Encoding::RLE_DICTIONARY
    }

    /// The dictionary's page, and the number of its values.
    pub(crate) fn dictionary(&self) -> Option<(Vec<u8>, usize)> {
        let dictionary = self.dictionary.as_ref().filter(|dictionary| dictionary.len() > 0)?;
        let mut page = Vec::with_capacity(dictionary.plain_bytes());
        (0..dictionary.len() as u32).for_each(|index| dictionary.put(index, &mut page));
        Some((page, dictionary.len()))
    }

    pub(crate) fn memory_size(&self) -> usize {
        let indices = self.indices.as_ref().map_or(0, |indices| indices.capacity() * size_of::<u32>());
        self.plain.capacity() + indices + self.dictionary.as_ref().map_or(0, D::memory_size)
    }
}
