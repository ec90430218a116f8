//! Histories as text, for tests: one line an operation, an install, or a replica's end.
//!
//! ```text
//! c1 write k1=1.0 @10-12 ok 5@1            by session 1, from 10 to 12 ms, at position 5 of epoch 1
//! c2 read k1=nothing @13-14 ok             what was read stands behind the sign
//! c2 txn read k1=1.0; write k2=2.1 @15- open
//! c3 append k3=3.0 @15-16 info             also: add, remove (sets), delete k3, sum k4=+5, insert, trim k3, put-if k1=1.1
//! c3 refused k1=1.1 @15-16 ok              a put-if that swapped nothing
//! install k1=1.0 5@1 n0 @11                k1=- for a deletion, + for a sum, -1.0 for an element less, _ for a character less
//! begin 3 n0 @14 | 1:0-5 2:5-9             epoch 3 begins, on 1 to 5 of epoch 1 and 6 to 9 of epoch 2
//! final n0 leads | 1:0-5 2:5-9 | k1=1.0; k3=[3.0 2.2]      at the end of the first minute; `-` if it has no records
//! down n1                                  a replica that was down at the end
//! broken off @11                           before the end
//! unsettled                                something was under way when the quiet phase was over
//! panic n0 @11 no quorum of 3              at `src/log.rs:41`; by the world itself if there is a `-` for the node
//! ```

use replisim_kernel::{SimTime, Span};

use crate::{
    Beginning, Contents, Datum, Final, History, Install, Key, Lineage, Made, NodeId, Op, Operation, Outcome, Panic,
    Position, Reason, Seen, SessionId, Value,
};

/// Reads a history.
///
/// # Panics
/// If a line is not in the notation.
pub(super) fn history(text: &str) -> History {
    let mut history = History::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("install ") {
            history.installs.push(install(rest));
        } else if let Some(rest) = line.strip_prefix("begin ") {
            history.beginnings.push(beginning(rest));
        } else if let Some(rest) = line.strip_prefix("final ") {
            history.finals.push(last(rest));
        } else if let Some(node) = line.strip_prefix("down ") {
            history.down.push(NodeId(number(node, "n")));
        } else if let Some(rest) = line.strip_prefix("panic ") {
            history.panic = Some(panic(rest));
        } else if let Some(when) = line.strip_prefix("broken off @") {
            history.broken_off = Some(at(when));
        } else if line == "unsettled" {
            history.unsettled = true;
        } else {
            let ordinal = |session| history.operations.iter().filter(|it: &&Operation| it.session == session).count();
            let operation = operation(line, ordinal);
            history.operations.push(operation);
        }
    }
    history
}

fn operation(line: &str, ordinal: impl Fn(SessionId) -> usize) -> Operation {
    let (what, when) = line.split_once(" @").unwrap_or_else(|| panic!("no time in `{line}`"));
    let (who, what) = what.split_once(' ').expect("who did what");
    let mut when = when.split(' ');
    let (invoked, completed) = when.next().and_then(|times| times.split_once('-')).expect("from - to");
    let outcome = match when.next() {
        Some("ok") => Outcome::Ok,
        Some("fail") => Outcome::Fail(Reason::Refused),
        Some("info") => Outcome::Info(Reason::Timeout),
        Some("open") => Outcome::Open,
        other => panic!("{other:?} is not an outcome in `{line}`"),
    };
    let (op, seen) = match what.strip_prefix("txn ") {
        Some(parts) => {
            let (ops, seen): (Vec<_>, Vec<_>) = parts.split("; ").map(part).unzip();
            (Op::Txn(ops.into()), Seen::Many(seen.into()))
        }
        None => part(what),
    };
    let session = SessionId(number(who, "c"));
    Operation {
        session,
        ordinal: ordinal(session) as u32,
        op,
        intended: at(invoked),
        invoked: at(invoked),
        completed: if completed.is_empty() { SimTime::NEVER } else { at(completed) },
        outcome,
        seen: if outcome.is_ok() { seen } else { Seen::Nothing },
        position: when.next().map(position).unwrap_or_default(),
        origin: NodeId(9),
        node: NodeId(0),
    }
}

fn part(text: &str) -> (Op, Seen) {
    let (verb, rest) = text.split_once(' ').expect("verb and key");
    let (key, what) = rest.split_once('=').unwrap_or((rest, ""));
    let key = Key(number(key, "k"));
    let op = match verb {
        "read" => return (Op::Read { key }, Seen::Datum(datum(what))),
        "write" => Op::Write { key, value: value(what) },
        "put-if" | "refused" => {
            let op = Op::CompareAndSet { key, expect: None, value: value(what) };
            return (op, Seen::Swapped(verb == "put-if"));
        }
        "delete" => Op::Delete { key },
        "append" => Op::Append { key, element: value(what) },
        "add" => Op::SetAdd { key, element: value(what) },
        "remove" => Op::SetRemove { key, element: value(what) },
        "insert" => Op::TextInsert { key, at: 0, character: value(what) },
        "trim" => Op::TextDelete { key, at: 0 },
        "sum" => Op::Add { key, amount: what.parse().expect("an amount") },
        other => panic!("`{other}` is not an operation"),
    };
    (op, Seen::Nothing)
}

fn install(text: &str) -> Install {
    let words: Vec<&str> = text.split(' ').collect();
    let [what, place, node, when] = words[..] else { panic!("`{text}` is not an install") };
    let (key, version) = what.split_once('=').expect("key = value");
    Install {
        at: at(when.trim_start_matches('@')),
        node: NodeId(number(node, "n")),
        key: Key(number(key, "k")),
        made: match (version, version.strip_prefix('-')) {
            ("-", _) => Made::Nothing,
            ("+", _) => Made::Sum,
            ("_", _) => Made::Shorter,
            (_, Some(element)) => Made::Without(value(element)),
            (_, None) => Made::Value(value(version)),
        },
        position: position(place),
    }
}

fn beginning(text: &str) -> Beginning {
    let (what, stretches) = text.split_once(" | ").expect("what | on what");
    let words: Vec<&str> = what.split(' ').collect();
    let [epoch, node, when] = words[..] else { panic!("`{text}` is not a beginning") };
    Beginning {
        at: at(when.trim_start_matches('@')),
        node: NodeId(number(node, "n")),
        epoch: number(epoch, ""),
        built_on: lineage(stretches),
    }
}

fn lineage(stretches: &str) -> Lineage {
    let mut lineage = Lineage::new();
    for stretch in stretches.split_whitespace().filter(|stretch| *stretch != "-") {
        let (epoch, bounds) = stretch.split_once(':').expect("epoch : after - upto");
        let (after, upto) = bounds.split_once('-').expect("after - upto");
        lineage.extend(number(after, ""), Position::new(number(epoch, ""), number(upto, "")));
    }
    lineage
}

fn last(text: &str) -> Final {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let [who, stretches, data] = parts[..] else { panic!("`{text}` is not a replica's end") };
    let lineage = (!stretches.is_empty()).then(|| lineage(stretches));
    let mut contents = Contents::new();
    for (key, held) in data.split("; ").filter_map(|held| held.split_once('=')) {
        contents.install(Key(number(key, "k")), datum(held), Position::ZERO);
    }
    let (node, leads) = who.split_once(' ').map_or((who, false), |(node, leads)| (node, leads == "leads"));
    Final { node: NodeId(number(node, "n")), at: at("60000"), leads, contents, lineage }
}

fn panic(text: &str) -> Panic {
    let mut words = text.splitn(3, ' ');
    let (node, when, message) = (words.next(), words.next(), words.next());
    Panic {
        at: at(when.expect("when").trim_start_matches('@')),
        node: node.filter(|node| *node != "-").map(|node| NodeId(number(node, "n"))),
        message: message.expect("a message").to_owned(),
        place: "src/log.rs:41".to_owned(),
    }
}

fn datum(text: &str) -> Datum {
    let values = |inner: &str| inner.split_whitespace().map(value).collect::<Vec<_>>().into();
    match text.as_bytes().first() {
        Some(b'[') => Datum::List(values(text.trim_matches(['[', ']']))),
        Some(b'{') => Datum::Set(values(text.trim_matches(['{', '}']))),
        Some(b'+') => Datum::Counter(text.parse().expect("a sum")),
        _ if text == "nothing" => Datum::Absent,
        _ => Datum::Register(value(text)),
    }
}

fn value(text: &str) -> Value {
    let (session, ordinal) = text.split_once('.').unwrap_or_else(|| panic!("`{text}` is not a value"));
    Value::written(SessionId(number(session, "")), number(ordinal, ""))
}

fn position(text: &str) -> Position {
    let (index, epoch) = text.split_once('@').unwrap_or_else(|| panic!("`{text}` is not a position"));
    Position::new(number(epoch, ""), number(index, ""))
}

fn at(millis: &str) -> SimTime {
    SimTime::ZERO + Span::millis(number(millis, ""))
}

fn number<N: std::str::FromStr>(text: &str, letter: &str) -> N {
    let digits = text.strip_prefix(letter).and_then(|digits| digits.parse().ok());
    digits.unwrap_or_else(|| panic!("`{text}` is not {letter} and a number"))
}
