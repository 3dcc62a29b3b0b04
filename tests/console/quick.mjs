import { chromium } from '@playwright/test';
const token=process.argv[2], only=process.argv[3]?.split(','), lang=process.argv[4]||'ru', size=process.argv[5]||'1280', theme=process.argv[6]||'light';
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--use-gl=angle','--use-angle=swiftshader','--enable-unsafe-swiftshader']});
const c=await b.newContext({viewport:size==='phone'?{width:390,height:844}:{width:+size,height:800},locale:'ru-RU',colorScheme:theme});
const p=await c.newPage();p.on('console',m=>['error','warning'].includes(m.type())&&console.log('CONSOLE',m.text()));p.on('pageerror',e=>console.log('ERR',e.message));
await p.addInitScript(l=>localStorage.setItem('aralau.locale',l),lang);
await p.goto('http://127.0.0.1:8611/');await p.waitForSelector('form');
const shot=async n=>{if(!only||only.includes(n)||only[0]==='all'){await p.waitForTimeout(900);await p.screenshot({path:`/tmp/shots/${n}.png`})}};
await shot('signin');
await p.fill('input[type=password]',token);await p.keyboard.press('Enter');await p.waitForSelector('[role=grid]');
await shot('visits');
const conf=(await (await c.request.get('http://127.0.0.1:8611/v1/conflicts')).json()).conflicts[0];
for(const [n,u] of [['visit','/visits/'+conf.visit+'?beat='+conf.beat],['map','/map'],['coverage','/coverage'],['conflicts','/conflicts'],['quarantine','/quarantine'],['devices','/devices']]){ if(only&&only[0]!=='all'&&!only.includes(n))continue;await p.goto('http://127.0.0.1:8611'+u);await p.waitForTimeout(n==='map'?4000:700);await shot(n)}
if(!only||only.includes('export')){await p.goto('http://127.0.0.1:8611/');await p.waitForSelector('[role=grid]');await p.keyboard.press('j');await p.keyboard.press('j');await p.keyboard.press('e');await shot('export')}
await b.close();
