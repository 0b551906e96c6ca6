/** The assistant page's entry: tells the style sheet that scripts run. */

import "./style.css";

document.documentElement.dataset.scripts = "on";
