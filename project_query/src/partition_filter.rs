//! Leaves out the files of partitions that a filter excludes.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::create_physical_expr;

/// For each partition, whether it may hold rows that pass `filters`.
///
/// The engine applies every filter again to the rows, so a filter that cannot be answered here keeps all partitions.
pub(crate) fn surviving(keys: &SchemaRef, partitions: &[&[Option<String>]], filters: &[Expr]) -> Vec<bool> {
    let names: Vec<&str> = keys.fields().iter().map(|key| key.name().as_str()).collect();
    let on_keys = filters.iter().filter(|filter| !names.is_empty() && expr_applicable_for_cols(&names, filter));
    let Some(filter) = conjunction(on_keys.cloned()) else {
        return vec![true; partitions.len()];
    };
    evaluate(keys, partitions, &filter).unwrap_or_else(|error| {
        tracing::debug!(%error, "this filter does not narrow the partitions");
        vec![true; partitions.len()]
    })
}

fn evaluate(keys: &SchemaRef, partitions: &[&[Option<String>]], filter: &Expr) -> Result<Vec<bool>> {
    let columns = (0..keys.fields().len())
        .map(|key| {
            let values = partitions.iter().map(|values| ScalarValue::Utf8(values[key].clone()));
            ScalarValue::iter_to_array(values)
        })
        .collect::<Result<Vec<_>>>()?;
    let batch = RecordBatch::try_new(Arc::clone(keys), columns)?;
    let schema = DFSchema::try_from(Arc::clone(keys))?;
    let filter = create_physical_expr(filter, &schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
    let kept = filter.evaluate(&batch)?.into_array(partitions.len())?;
    let kept = kept.as_boolean();
    Ok((0..kept.len()).map(|at| kept.is_valid(at) && kept.value(at)).collect())
}
