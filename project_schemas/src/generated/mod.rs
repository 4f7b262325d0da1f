//! What `make create-model` has read from the database: a file for each of its tasks, renewed by it and never edited.
