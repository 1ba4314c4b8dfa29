//! The JSON Schema of the report format, generated from the types.

use schemars::Schema;

use crate::report::Report;

/// JSON Schema (draft 2020-12) of a report file.
pub fn report_schema() -> Schema {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("$id".into(), Report::FORMAT.into());
    // A constant lets an editor name the format that it does not know.
    if let Some(format) = schema.pointer_mut("/properties/schema") {
        format["const"] = Report::FORMAT.into();
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_format_and_closes_every_object() {
        let schema = report_schema();
        let value = schema.as_value();
        assert_eq!(value["properties"]["schema"]["const"], Report::FORMAT);
        assert_eq!(value["additionalProperties"], false);
        for name in [
            "Cell",
            "Condition",
            "Conditions",
            "Training",
            "Provenance",
            "Dataset",
        ] {
            assert_eq!(
                value["$defs"][name]["additionalProperties"], false,
                "{name}"
            );
        }
        assert_eq!(value["$defs"]["Bitmap"]["type"], "string");
    }
}
