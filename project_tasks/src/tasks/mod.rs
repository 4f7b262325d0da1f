//! One file for each task.

pub mod combined_orders;
pub mod events;
pub mod products;
pub mod table;
pub mod users;
