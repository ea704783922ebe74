//! How far long work is: a bar at a terminal, and a line now and then elsewhere. On standard error, where no program reads it.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// How far something is.
pub(super) struct Progress {
    /// `None`: nobody looks at a bar.
    bar: Option<ProgressBar>,
    what: String,
    told: u64,
}

impl Progress {
    /// Nothing is done yet of this.
    pub(super) fn new(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("[{bar:20}] {prefix}: {pos}/{len} {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>.");
            ProgressBar::no_length().with_style(style).with_prefix(what.clone())
        });
        Self { bar, what, told: 0 }
    }

    /// So much is done of all, and this is said of it.
    pub(super) fn at(&mut self, done: u64, total: u64, said: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(said.to_owned());
            }
            // A log grows by each line: one a step.
            None if done > self.told => {
                self.told = done;
                let _ = writeln!(std::io::stderr(), "{}: {done}/{total} {said}", self.what);
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
