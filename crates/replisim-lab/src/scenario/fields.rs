//! A scenario as plain data.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;
use replisim_history::measure::Measure;
use replisim_history::{Check, Verdict};
use replisim_kernel::Span;
use replisim_world::spec::{ClientGroup, Cluster, Fault, Swarm, Topology};
use ron::value::RawValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::explain::unclosed;
use super::outline::Outline;
use super::refusal::other_file;
use super::{Code, Diagnostic, Excerpt, Report, Source};

/// What is run, what goes wrong, and what is expected of it. Only the cluster and the protocol must be given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// Where it is told: a paper, a manual, a post-mortem.
    #[serde(default)]
    pub source: String,
    /// The machines.
    pub cluster: Cluster,
    /// The protocol with its settings.
    pub protocol: ProtocolText,
    /// Who asks for what.
    #[serde(default = "default_clients")]
    pub clients: Vec<ClientGroup>,
    /// What goes wrong, in any order.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What else goes wrong, drawn anew for each seed.
    #[serde(default)]
    pub swarm: Option<Swarm>,
    /// How long it runs until all faults end.
    #[serde(default = "default_run")]
    pub run: Span,
    /// How long the replicas may then take to become equal.
    #[serde(default = "default_settle")]
    pub settle: Span,
    /// The seed of everything that is drawn.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The checks that are made, beside [`Check::ALWAYS`].
    #[serde(default = "default_checks")]
    pub checks: Vec<Check>,
    /// The verdicts that are expected. What is not named is judged by what the protocol promises.
    #[serde(default)]
    pub expect: BTreeMap<Check, Expected>,
    /// Figures that must lie within bounds, each under a name of the scenario's own.
    #[serde(default)]
    pub measures: IndexMap<String, Bound>,
    /// The scenario beside this one that shows how to avoid the anomaly.
    #[serde(default)]
    pub cure: Option<String>,
    /// The scenario beside this one that shows what goes wrong otherwise.
    #[serde(default)]
    pub anomaly: Option<String>,
}

/// Puts a field that was read by itself into a scenario.
pub(crate) type Put = Box<dyn Fn(&mut Scenario) + Send + Sync>;

/// A protocol's name and settings as written: `PostgreSql(primary: "p")`. Only the protocol knows how to read them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtocolText {
    /// As it stands in the scenario, comments included, without what is around it.
    text: Box<RawValue>,
}

/// The verdict that a scenario expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Expected {
    /// The check holds.
    Holds,
    /// The check is violated.
    Violated,
}

/// A figure of the run and the bounds that it must lie within: `(what: WriteLatency(0.99), at_most: 20)`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Which figure.
    pub what: Measure,
    /// Over which stretch of the run; over all of it if not given.
    #[serde(default)]
    pub during: Option<(Span, Span)>,
    /// It must not be lower, in the figure's own unit.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// It must not be higher, in the figure's own unit.
    #[serde(default)]
    pub at_most: Option<f64>,
}

impl Scenario {
    /// Reads a scenario from a file. What only a protocol can tell is checked by [`crate::Experiment::prepare`].
    ///
    /// # Errors
    /// If the file cannot be read or is not a scenario.
    pub fn read(path: &Path) -> Result<Scenario, Report> {
        Scenario::parse(&Source::read(path)?)
    }

    /// Reads a scenario from a text.
    ///
    /// # Errors
    /// The first thing about the text that is not as a scenario should be.
    pub fn parse(source: &Source) -> Result<Scenario, Report> {
        let outline = Outline::of(&source.text);
        Scenario::outlined(source, &outline).map_err(|mistake| Report::of(source.clone(), mistake))
    }

    /// Reads a scenario from a text whose outline is known.
    pub(crate) fn outlined(source: &Source, outline: &Outline<'_>) -> Result<Scenario, Diagnostic> {
        if outline.root.is_none() && outline.broken.is_none_or(|broken| broken == source.text.len()) {
            if let Some(comment) = unclosed(outline) {
                return Err(comment);
            }
            let mistake = Diagnostic::new(Code::Empty, "the file is empty").at(0..0);
            return Err(mistake.help("`replisim new` writes a scenario to start from"));
        }
        if let Some(other) = other_file(outline.name(), "scenario", &source.name) {
            return Err(other.at(outline.mark_name()));
        }
        Excerpt::whole(source, outline).read()
    }

    /// Reads one of its fields by itself.
    ///
    /// # Errors
    /// The first thing about the text that is not as the field should be.
    pub(crate) fn field(name: &str, text: &Excerpt<'_>) -> Result<Put, Diagnostic> {
        macro_rules! read {
            ($($field:ident)*) => {{
                // Whoever adds a field to scenarios adds it here, or this does not compile.
                const _: fn(Scenario) = |Scenario { $($field: _),* }| {};
                match name {
                    $(stringify!($field) => {
                        let value = text.read()?;
                        Box::new(move |scenario: &mut Scenario| scenario.$field = Clone::clone(&value)) as Put
                    })*
                    other => unreachable!("a scenario that was read has no field `{other}`"),
                }
            }};
        }
        Ok(
            read!(about source cluster protocol clients faults swarm run settle seed checks expect measures cure anomaly),
        )
    }

    /// The checks that are made: those that it lists, and at the end those of [`Check::ALWAYS`] that are not among them.
    /// Whatever stands for a check by its place, such as a campaign's marks, keeps to this order.
    pub fn checks_made(&self) -> Vec<Check> {
        let unlisted = Check::ALWAYS.into_iter().filter(|check| !self.checks.contains(check));
        self.checks.iter().copied().chain(unlisted).collect()
    }

    /// All that goes wrong under a seed: the faults that are written down, then those that the swarm draws.
    pub fn plan(&self, seed: u64, topology: &Topology) -> Vec<Fault> {
        let hosts: Vec<String> = topology.hosts.iter().map(|host| host.name.clone()).collect();
        let drawn = self.swarm.iter().flat_map(|swarm| swarm.draw(seed, self.run, &hosts));
        self.faults.iter().cloned().chain(drawn).collect()
    }
}

impl Bound {
    /// Whether a figure lies within the bounds, both included.
    pub fn admits(&self, figure: f64) -> bool {
        self.at_least.is_none_or(|least| figure >= least) && self.at_most.is_none_or(|most| figure <= most)
    }
}

impl ProtocolText {
    /// A protocol's name and settings; `None` if this is not RON.
    pub(crate) fn new(text: &str) -> Option<ProtocolText> {
        RawValue::from_ron(text).ok().map(|text| ProtocolText { text: text.trim().to_owned() })
    }

    /// The protocol's name.
    pub fn name(&self) -> &str {
        let text = self.text.get_ron();
        text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    }

    /// Its name and settings as the scenario has them.
    pub fn as_str(&self) -> &str {
        self.text.get_ron()
    }
}

impl Serialize for ProtocolText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProtocolText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let bare = text.get_ron();
        // To trim it means to read it once more, as there may be comments around it; mostly there is nothing.
        let is_trimmed = bare.trim().len() == bare.len() && !bare.contains('/');
        Ok(ProtocolText { text: if is_trimmed { text } else { text.trim_boxed() } })
    }
}

impl Expected {
    /// `Holds` or `Violated`, as a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Expected::Holds => "Holds",
            Expected::Violated => "Violated",
        }
    }

    /// Whether a verdict is the expected one. [`Verdict::Unknown`] never is.
    pub const fn is_met_by(self, verdict: &Verdict) -> bool {
        matches!((self, verdict), (Expected::Holds, Verdict::Holds) | (Expected::Violated, Verdict::Violated(_)))
    }
}

fn default_clients() -> Vec<ClientGroup> {
    vec![ClientGroup::default()]
}

fn default_run() -> Span {
    Span::secs(10)
}

/// How long replicas have to come to hold the same, where that is left unsaid.
pub(crate) fn default_settle() -> Span {
    Span::secs(60)
}

fn default_seed() -> u64 {
    1
}

fn default_checks() -> Vec<Check> {
    Check::OF_DATA.to_vec()
}
