//! Tabs that share a stream: their paths one by one, and all of them at random.

mod browser;
mod paths;
mod world;
