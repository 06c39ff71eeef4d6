//! Where a value comes from: the flag, else the variable, else the default. What is wrong with it is told under the name that
//! gave it.

use super::UsageError;
use std::ffi::OsString;
use std::fmt;

/// The environment: [`std::env::var_os`], or a test's table.
#[derive(Clone, Copy)]
pub(super) struct Environment<'e>(pub(super) &'e dyn Fn(&str) -> Option<OsString>);

/// A value as it was given, and the flag or the variable that gave it.
#[derive(Clone)]
pub(super) struct Given {
    name: &'static str,
    text: String,
}

impl Environment<'_> {
    /// What `name` holds. Empty counts as unset, because a Compose file cannot unset a variable otherwise.
    pub(super) fn variable(self, name: &'static str) -> Result<Option<Given>, UsageError> {
        (self.0)(name).filter(|text| !text.is_empty()).map(|text| Given::new(name, text)).transpose()
    }

    /// The flag's value, else the variable's.
    pub(super) fn one(self, flag: Flag<Option<OsString>>, variable: &'static str) -> Result<Option<Given>, UsageError> {
        match flag {
            (name, Some(text)) => Given::new(name, text).map(Some),
            (_, None) => self.variable(variable),
        }
    }

    /// The value of the flag, else of the variable, read by one of the functions of `value.rs`.
    pub(super) fn value<T, E: fmt::Display>(
        self,
        flag: Flag<Option<OsString>>,
        variable: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, UsageError> {
        self.one(flag, variable)?.map(|given| given.read(parse)).transpose()
    }

    /// The flag's values, else the elements of the variable's list: one list takes the other's place, they are never joined.
    pub(super) fn list(self, (name, texts): Flag<Vec<OsString>>, variable: &'static str) -> Result<Vec<Given>, UsageError> {
        if !texts.is_empty() {
            return texts.into_iter().map(|text| Given::new(name, text)).collect();
        }
        let list = self.variable(variable)?.map(|given| given.text).unwrap_or_default();
        let elements = list.split(',').map(str::trim).filter(|element| !element.is_empty());
        Ok(elements.map(|element| Given { name: variable, text: element.to_owned() }).collect())
    }
}

/// A flag's name, and what it was given on the command line.
pub(super) type Flag<T> = (&'static str, T);

impl Given {
    pub(super) fn new(name: &'static str, text: OsString) -> Result<Self, UsageError> {
        match text.into_string() {
            Ok(text) => Ok(Self { name, text }),
            Err(text) => Err(UsageError(format!("{name}: {text:?} is not UTF-8"))),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn read<T, E: fmt::Display>(&self, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, UsageError> {
        parse(&self.text).map_err(|reason| self.wrong(reason))
    }

    /// What is wrong with it, where `reason` repeats the value.
    pub(super) fn named(&self, reason: impl fmt::Display) -> UsageError {
        UsageError(format!("{}: {reason}", self.name))
    }

    /// What is wrong with it, where `reason` is the rest of a sentence that the value begins.
    pub(super) fn wrong(&self, reason: impl fmt::Display) -> UsageError {
        UsageError(format!("{self} {reason}"))
    }
}

impl fmt::Display for Given {
    /// As an error names it: `--threads: "0"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, self.text)
    }
}
