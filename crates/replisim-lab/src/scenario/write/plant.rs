//! Serde's side of a [`Tree`]: makes one of whatever can be serialised.

use serde::Serialize;
use serde::ser;

use super::Tree;

/// What serde calls a text that `ron` keeps as it is.
const RAW: &str = "$ron::private::RawValue";

/// Makes a tree of whatever it is handed.
pub(super) struct Planter;

/// A compound value under way.
pub(super) struct Branch {
    tree: Tree,
    key: Tree,
}

impl Branch {
    fn new(tree: Tree) -> Result<Branch, ron::Error> {
        Ok(Branch { tree, key: Tree::Word(String::new()) })
    }

    fn push(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), ron::Error> {
        let value = value.serialize(Planter)?;
        match &mut self.tree {
            Tree::Struct(_, fields) => fields.push((name.to_owned(), value)),
            Tree::Tuple(_, elements) | Tree::List(elements) => elements.push(value),
            Tree::Map(entries) => entries.push((self.key.clone(), value)),
            Tree::Word(word) => *word = value.flat(),
        }
        Ok(())
    }
}

macro_rules! words {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, value: $type) -> Result<Tree, ron::Error> {
            Ok(Tree::Word(ron::to_string(&value)?))
        }
    )*};
}

impl ser::Serializer for Planter {
    type Ok = Tree;
    type Error = ron::Error;
    type SerializeSeq = Branch;
    type SerializeTuple = Branch;
    type SerializeTupleStruct = Branch;
    type SerializeTupleVariant = Branch;
    type SerializeMap = Branch;
    type SerializeStruct = Branch;
    type SerializeStructVariant = Branch;

    words! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Tree, ron::Error> {
        Ok(Tree::Word(ron::to_string(bytes)?))
    }

    fn serialize_none(self) -> Result<Tree, ron::Error> {
        Ok(Tree::Word("None".to_owned()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, ron::Error> {
        value.serialize(Planter)
    }

    fn serialize_unit(self) -> Result<Tree, ron::Error> {
        Ok(Tree::Tuple(String::new(), Vec::new()))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Tree, ron::Error> {
        Ok(Tree::Word(name.to_owned()))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Tree, ron::Error> {
        Ok(Tree::Word(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Tree, ron::Error> {
        match (name, value.serialize(Planter)?) {
            (RAW, Tree::Word(quoted)) => Ok(Tree::parse(&ron::from_str::<String>(&quoted)?)),
            (_, tree) => Ok(Tree::Tuple(String::new(), vec![tree])),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, ron::Error> {
        Ok(Tree::Tuple(variant.to_owned(), vec![value.serialize(Planter)?]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Branch, ron::Error> {
        Branch::new(Tree::List(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<Branch, ron::Error> {
        Branch::new(Tree::Tuple(String::new(), Vec::new()))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Branch, ron::Error> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Branch, ron::Error> {
        Branch::new(Tree::Tuple(variant.to_owned(), Vec::new()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Branch, ron::Error> {
        Branch::new(Tree::Map(Vec::new()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Branch, ron::Error> {
        Branch::new(Tree::Struct(String::new(), Vec::new()))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Branch, ron::Error> {
        Branch::new(Tree::Struct(variant.to_owned(), Vec::new()))
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Branch {
            type Ok = Tree;
            type Error = ron::Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ron::Error> {
                self.push("", value)
            }
            fn end(self) -> Result<Tree, ron::Error> {
                Ok(self.tree)
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Branch {
            type Ok = Tree;
            type Error = ron::Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), ron::Error> {
                self.push(name, value)
            }
            fn end(self) -> Result<Tree, ron::Error> {
                Ok(self.tree)
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Branch {
    type Ok = Tree;
    type Error = ron::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ron::Error> {
        self.key = key.serialize(Planter)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ron::Error> {
        self.push("", value)
    }

    fn end(self) -> Result<Tree, ron::Error> {
        Ok(self.tree)
    }
}
