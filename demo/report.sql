-- Revenue in US dollars by month, for the five countries that sell most. Athena runs it as it is.
WITH monthly AS (
    SELECT country, substr(CAST(created_at AS VARCHAR), 1, 7) AS month, count(*) AS orders, sum(amount_usd) AS revenue_usd
    FROM combined_orders
    WHERE country IS NOT NULL
    GROUP BY country, substr(CAST(created_at AS VARCHAR), 1, 7)
),
best AS (
    SELECT country, sum(revenue_usd) AS total_usd
    FROM monthly
    GROUP BY country
    ORDER BY total_usd DESC
    LIMIT 5
)
SELECT monthly.country, monthly.month, monthly.orders, monthly.revenue_usd
FROM monthly
JOIN best ON best.country = monthly.country
WHERE monthly.month >= '2025-10'
ORDER BY best.total_usd DESC, monthly.month
