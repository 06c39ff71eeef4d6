//! Where a value comes from: the flag, else the variable, else the default. An error names the one it came from.

use super::{UsageError, printable};
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// The environment, and which of its variables are ours.
pub(super) struct Environment {
    variables: Vec<(OsString, OsString)>,
    known: RefCell<Vec<Known>>,
}

/// A variable that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The flag that overrides it.
    pub(super) flag: &'static str,
    pub(super) variable: &'static str,
}

/// A value as given, and the flag or variable that it came from.
#[derive(Clone)]
pub(super) struct Given {
    name: &'static str,
    text: String,
}

impl Environment {
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
        // Empty counts as unset, because a Compose file cannot unset a variable otherwise.
        let variables = variables.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        Environment { variables, known: RefCell::default() }
    }

    /// Every variable that is set.
    pub(super) fn set(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, text)| (name.as_os_str(), text.as_os_str()))
    }

    /// Our variables, set or not.
    pub(super) fn known(&self) -> Vec<Known> {
        self.known.borrow().clone()
    }

    /// The value of `variable`; `flag` overrides it.
    pub(super) fn variable(&self, flag: &'static str, variable: &'static str) -> Result<Option<Given>, UsageError> {
        self.known.borrow_mut().push(Known { flag, variable });
        let text = self.set().find(|(name, _)| *name == variable).map(|(_, text)| text.to_owned());
        text.map(|text| Given::new(variable, text)).transpose()
    }

    /// The flag's value, else the variable's.
    pub(super) fn one(&self, (name, flag): Flag<Option<OsString>>, variable: &'static str) -> Result<Option<Given>, UsageError> {
        let variable = self.variable(name, variable);
        flag.map_or(variable, |text| Given::new(name, text).map(Some))
    }

    /// The value of the flag, else of the variable, read by one of the functions of `value.rs`.
    pub(super) fn value<T, E: fmt::Display>(
        &self,
        flag: Flag<Option<OsString>>,
        variable: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, UsageError> {
        self.one(flag, variable)?.map(|given| given.read(parse)).transpose()
    }

    /// The flag's values, else the elements of the variable's list; the two are never merged.
    pub(super) fn list(&self, (name, texts): Flag<Vec<OsString>>, variable: &'static str) -> Result<Vec<Given>, UsageError> {
        let of_variable = self.variable(name, variable);
        if !texts.is_empty() {
            return texts.into_iter().map(|text| Given::new(name, text)?.single()).collect();
        }
        let list = of_variable?.map(|given| given.text).unwrap_or_default();
        Ok(elements(&list).map(|element| Given { name: variable, text: element.to_owned() }).collect())
    }
}

/// A flag's name and its value on the command line.
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

    /// An error; `reason` completes a sentence that begins with the value.
    pub(super) fn wrong(&self, reason: impl fmt::Display) -> UsageError {
        UsageError(format!("{self} {reason}"))
    }

    /// The same as a warning for the log.
    pub(super) fn warning(&self, doubt: impl fmt::Display) -> String {
        printable(&self.wrong(doubt).0)
    }

    /// A flag takes one value, without a comma.
    fn single(self) -> Result<Self, UsageError> {
        let flags: Vec<_> = elements(&self.text).map(|element| format!("{} {element}", self.name)).collect();
        match self.text.contains(',') && !flags.is_empty() {
            true => Err(self.wrong(format_args!("is a list: try {}", flags.join(" ")))),
            false => Ok(self),
        }
    }
}

fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|element| !element.is_empty())
}

impl fmt::Display for Given {
    /// As an error names it: `--threads: "0"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, self.text)
    }
}
