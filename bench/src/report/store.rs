//! Records as files: a row that is not measured again keeps what it had.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Machine, Record};

/// The folder `bench/results`.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Keeps a record in place of the row's last one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, record: &Record) -> Result<()> {
        self.write(&record.row, &serde_json::to_string_pretty(record)?)
    }

    /// The last record of a row.
    ///
    /// # Errors
    /// There is a file, and it is no record.
    pub fn find(&self, row: &str) -> Result<Option<Record>> {
        self.read(row)
    }

    /// Keeps what the machine was.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_machine(&self, machine: &Machine) -> Result<()> {
        self.write("machine", &serde_json::to_string_pretty(machine)?)
    }

    /// The machine of the last run.
    ///
    /// # Errors
    /// There is a file, and it describes no machine.
    pub fn machine(&self) -> Result<Option<Machine>> {
        self.read("machine")
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.file(name);
        std::fs::write(&file, format!("{text}\n")).with_context(|| format!("cannot write {}", file.display()))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let file = self.file(name);
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Some(
                serde_json::from_str(&text).with_context(|| format!("cannot read {}", file.display()))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}
