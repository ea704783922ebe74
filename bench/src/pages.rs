//! Tidewatch's pages with much behind them: what is put into the database, which pages there are, and somebody who opens
//! them one after the other.

pub mod addresses;
pub mod data;
mod events;
mod records;
pub mod visitor;
