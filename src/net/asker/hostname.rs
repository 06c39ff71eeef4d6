//! What an address is called: whoever owns an address may call it anything, so a name counts if its own records hold the address.

use super::Scene;
use super::query::{Query, Status};
use crate::dns::{Kind, Name, Question, Records};
use crate::net::deadlines::{Millis, REPLY_TIMEOUT};
use crate::net::socket;
use crate::resource::Reply;
use std::net::{IpAddr, SocketAddr};

/// In milliseconds, for all of it: the worker, which gives up a little later, does not know the name that is not confirmed yet.
const TIMEOUT: Millis = REPLY_TIMEOUT.as_millis() as Millis - 100;

/// Names of one address that are tried. Most have one; each costs a question.
const NAMES_MAX: usize = 3;

/// A name that is looked for.
pub struct Hostname {
    address: IpAddr,
    resolver: SocketAddr,
    query: Query,
    stage: Stage,
    end: Millis,
}

/// What the query is about.
enum Stage {
    /// The names of the address.
    Names,
    /// The addresses of the first of these names; the others are still to be tried.
    Addresses { names: Vec<Name>, first: String },
}

impl Hostname {
    /// Begins to look for the name of an address.
    ///
    /// # Errors
    /// The reply, where there is one at once.
    pub fn begin(address: IpAddr, resolver: SocketAddr, scene: &mut Scene<'_>) -> Result<Hostname, Reply> {
        let question = Question { name: Name::of_address(address), kind: Kind::Ptr };
        match Query::begin(question, resolver, scene) {
            Ok(query) => Ok(Hostname { address, resolver, query, stage: Stage::Names, end: scene.now + TIMEOUT }),
            Err(error) if socket::is_shortage(&error, resolver) => Err(Reply::Busy),
            Err(_) => Err(Reply::Unknown),
        }
    }

    /// When it has something to do, whatever comes.
    pub fn due(&self) -> Millis {
        self.query.due.min(self.end)
    }

    /// Goes on; the reply when there is one.
    pub fn advance(&mut self, scene: &mut Scene<'_>) -> Option<Reply> {
        loop {
            let records = match self.query.advance(scene.now) {
                Status::Answered(records) => records,
                Status::Pending if scene.now < self.end => return None,
                Status::Pending | Status::TimedOut if matches!(self.stage, Stage::Names) => return Some(Reply::TimedOut),
                Status::Pending | Status::TimedOut | Status::Failed => Records::default(),
            };
            if let Some(name) = self.confirmed(&records) {
                return Some(Reply::Hostname { name, is_confirmed: true });
            }
            self.next_name(records);
            if scene.now >= self.end {
                return Some(self.unconfirmed());
            }
            if let Err(reply) = self.ask_for_addresses(scene) {
                return Some(reply);
            }
        }
    }

    /// The name whose addresses these are, if that of the client is among them.
    fn confirmed(&self, records: &Records) -> Option<String> {
        match &self.stage {
            Stage::Addresses { names, .. } if records.addresses.contains(&self.address) => names.first()?.text(),
            _ => None,
        }
    }

    /// Goes from what was asked for to the first name that is to be tried, or to the next one.
    fn next_name(&mut self, records: Records) {
        match &mut self.stage {
            Stage::Addresses { names, .. } => drop(names.remove(0)),
            Stage::Names => {
                let mut names = records.names;
                names.retain(|name| name.text().is_some());
                names.truncate(NAMES_MAX);
                if let Some(first) = names.first().and_then(Name::text) {
                    self.stage = Stage::Addresses { names, first };
                }
            }
        }
    }

    /// Asks for the addresses of the name whose turn it is; the reply, where there is none, or it cannot be asked for.
    fn ask_for_addresses(&mut self, scene: &mut Scene<'_>) -> Result<(), Reply> {
        let kind = if self.address.is_ipv4() { Kind::A } else { Kind::Aaaa };
        let Stage::Addresses { names, .. } = &self.stage else { return Err(Reply::Unknown) };
        let Some(name) = names.first().cloned() else { return Err(self.unconfirmed()) };
        match Query::begin(Question { name, kind }, self.resolver, scene) {
            Ok(query) => self.query = query,
            Err(error) if socket::is_shortage(&error, self.resolver) => return Err(Reply::Busy),
            Err(_) => return Err(self.unconfirmed()),
        }
        Ok(())
    }

    /// What there is to say where no name was confirmed.
    fn unconfirmed(&self) -> Reply {
        match &self.stage {
            Stage::Addresses { first, .. } => Reply::Hostname { name: first.clone(), is_confirmed: false },
            Stage::Names => Reply::Unknown,
        }
    }
}
