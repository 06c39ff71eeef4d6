//! The files of databases: opened, mapped, and on an order opened anew.

use super::Stopper;
use super::supervisor::Supervisor;
use crate::mmdb::{Database, Databases};
use memmap2::Mmap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Database files, which are mapped and not read: all threads, and all servers of a machine, share one copy in memory.
#[derive(Debug)]
pub struct DatabaseFiles {
    paths: Vec<PathBuf>,
    language: String,
    /// The databases as they were opened first, as they are named to people.
    first: String,
    /// How many reloads have begun.
    begun: AtomicUsize,
    /// The databases, and which reload they come from. Locked for no longer than it takes to copy or replace a pointer.
    current: Mutex<(usize, Arc<Databases>)>,
}

/// Why there are no databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Which of the files is wrong, counted from 0.
    pub index: usize,
    /// What is wrong with it: the rest of a sentence that its name begins.
    pub reason: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for FileError {}

impl DatabaseFiles {
    /// The databases in these files, those first that are asked first, with names in this language where they have it, else in English.
    ///
    /// # Errors
    /// The first file that is wrong.
    pub fn open(paths: Vec<PathBuf>, language: String) -> Result<DatabaseFiles, FileError> {
        let databases = open_all(&paths, &language)?;
        let first = databases.to_string();
        Ok(DatabaseFiles { paths, language, first, begun: AtomicUsize::new(0), current: Mutex::new((0, Arc::new(databases))) })
    }

    /// The databases as they were opened last.
    pub fn databases(&self) -> Arc<Databases> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Opens the files again, in a thread of its own, so that a slow disk delays no request. Then it rings the bell,
    /// and a supervisor is told what came of it.
    pub(super) fn begin_reload(self: &Arc<Self>, stopper: &Stopper, supervisor: Option<Arc<Supervisor>>) {
        let number = 1 + self.begun.fetch_add(1, Ordering::Relaxed);
        let (files, stopper) = (Arc::clone(self), stopper.clone());
        let its_supervisor = supervisor.clone();
        let reload = move || {
            let reloaded = files.reload(number);
            stopper.ring();
            if let Some(supervisor) = its_supervisor {
                supervisor.reloaded(&reloaded.map_or_else(|fault| fault, |()| files.status(supervisor.status())));
            }
        };
        if let Err(error) = thread::Builder::new().name("reload".to_owned()).spawn(reload) {
            let fault = format!("the databases are not opened anew, because there is no thread for it: {error}");
            log::error!("{fault}");
            if let Some(supervisor) = supervisor {
                supervisor.reloaded(&fault);
            }
        }
    }

    /// The status that was told at the start, which ends in the databases, with those of now.
    fn status(&self, first: &str) -> String {
        match first.strip_suffix(&self.first) {
            Some(start) => format!("{start}{}", self.databases()),
            None => first.to_owned(),
        }
    }

    /// Opens the files anew.
    ///
    /// # Errors
    /// One of them is wrong, which is logged, and nothing changes.
    fn reload(&self, number: usize) -> Result<(), String> {
        match open_all(&self.paths, &self.language) {
            Ok(databases) => {
                let (text, databases) = (databases.to_string(), Arc::new(databases));
                let replaced = {
                    let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
                    // Of two reloads at a time, the one that began later counts.
                    (current.0 < number).then(|| std::mem::replace(&mut *current, (number, databases)))
                };
                // Without the lock: writing may take its time, and so may unmapping what was replaced.
                if replaced.is_some() {
                    log::info!("reloaded: {text}");
                }
                Ok(())
            }
            Err(FileError { index, reason }) => {
                let fault = format!("{} {reason}; all databases stay as they were", self.paths[index].display());
                log::error!("{fault}");
                Err(fault)
            }
        }
    }
}

fn open_all(paths: &[PathBuf], language: &str) -> Result<Databases, FileError> {
    let file = |(index, path): (usize, &PathBuf)| {
        let bytes = map(path).map_err(|error| FileError { index, reason: format!("cannot be read: {error}") })?;
        Database::new(bytes).map_err(|fault| FileError { index, reason: fault.to_string() })
    };
    let files = paths.iter().enumerate().map(file).collect::<Result<_, _>>()?;
    Ok(Databases::new(files, language.to_owned()))
}

/// Maps a file: this program's only `unsafe` code.
#[allow(unsafe_code)]
fn map(path: &Path) -> io::Result<Mmap> {
    // O_NONBLOCK: opening a pipe would wait for a writer.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // SAFETY: nobody may change the bytes while they are mapped. This program does not, and whoever brings a new file renames it into the
    // place of the old one, whose bytes then stay what they are until they are no longer mapped: geoipupdate does so, and `--help`, the
    // README and docs/look-ups.md say that it must be done so.
    unsafe { Mmap::map(&file) }
}
