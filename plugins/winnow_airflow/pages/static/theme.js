// Follows the light or dark theme that was chosen in Airflow, which keeps it under this name.
const theme = localStorage.getItem("theme");
if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
