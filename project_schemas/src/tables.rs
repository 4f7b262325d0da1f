//! The source tables that Diesel reads.
#![allow(missing_docs, reason = "the macro's columns are documented by the database")]

diesel::table! {
    public.orders (id) {
        id -> Int4,
        user_id -> Nullable<Int4>,
        amount -> Nullable<Numeric>,
        active -> Bool,
        created_at -> Nullable<Timestamp>,
        uuid -> Uuid,
    }
}

diesel::table! {
    public.users (id) {
        id -> Int4,
        name -> Nullable<Varchar>,
        country -> Nullable<Varchar>,
        created_at -> Nullable<Timestamp>,
        email -> Nullable<Varchar>,
    }
}

diesel::table! {
    public.currencies (id) {
        id -> Int4,
        #[sql_name = "type"]
        type_ -> Nullable<Varchar>,
        type_id -> Nullable<Int4>,
        currency -> Nullable<Varchar>,
        conversion_rate -> Nullable<Numeric>,
    }
}

diesel::table! {
    public.taxes (id) {
        id -> Int4,
        order_id -> Nullable<Int4>,
        rate -> Nullable<Numeric>,
    }
}
