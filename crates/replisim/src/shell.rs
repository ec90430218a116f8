//! Commands as they are printed: whoever copies one into a shell runs what is meant.

pub(crate) use replisim_lab::shell::quoted;
